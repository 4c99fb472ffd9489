/** Every method on three tasks at three budgets: docs/measured.json, from which `bun run docs` makes its pages. */
import { mkdir, rename, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { fewShot, needle, openStore, type Result, type Summary, summarise, sweep } from "../src/evaluate/index.ts";
import { loadModel, type MethodFactory, measuredRegistry, registry } from "../src/index.ts";
import { MEASURED, type MeasuredRow } from "./docs/measured.ts";
import { args, command, integer } from "./support/command.ts";
import { told, toldMethods } from "./support/measured-methods.ts";
import { progressBar } from "./support/progress-bar.ts";

const BUDGETS = [64, 128, 256];
const MEASUREMENTS = fileURLToPath(new URL("../docs/measurements/smollm2-135m", import.meta.url));
const SEED = 11; // none that a method was developed on
/** So many methods share a prefill: more caches than theirs at all budgets, 250 MB, would be decoded one after the other. */
const TOGETHER = 12;

const HELP = `bun run compare [options]

Asks every registered method, and the oracle, for hidden numbers in 500 and 1,000 tokens and for classifications after 500, at budgets of 64,
128 and 256, and writes docs/measured.json. Then bun run docs. The same command goes on where it was interrupted.

  --examples N       of each task (default: 24: an hour of CPU time, so less than an hour on two quiet cores)
  --store FILE       where results are kept (default: results/compare.duckdb)
  --help             this text`;

await command("compare", async () => {
  const { values } = args({
    examples: { type: "string", default: "24" },
    store: { type: "string", default: "results/compare.duckdb" },
    help: { type: "boolean", default: false },
  });
  if (values.help) return console.log(HELP);
  const examples = integer("--examples", values.examples);
  const tasks = [needle({ lengths: [500, 1000], depths: examples }), fewShot({ lengths: [500], examples })];
  using model = await loadModel();
  const needing = Object.keys(measuredRegistry).flatMap((name) => toldMethods[name] ?? []);
  const measuredMethods = needing.map((method) => told(model, method, MEASUREMENTS));
  const methods = [...Object.values<MethodFactory>(registry), ...(await Promise.all(measuredMethods))];
  await mkdir("results", { recursive: true });
  await using store = await openStore(values.store);
  using bar = progressBar(0);
  const results: Result[] = [];
  for (let from = 0; from < methods.length; from += TOGETHER)
    for await (const result of sweep({
      model,
      tasks,
      methods: methods.slice(from, from + TOGETHER),
      budgets: BUDGETS,
      seeds: [SEED],
      oracle: from === 0,
      store,
      onProgress: ({ done, total, example }) => {
        bar.setTotal(total);
        const group = `methods ${from + 1} to ${Math.min(from + TOGETHER, methods.length)} of ${methods.length}`;
        bar.show(done, example === null ? group : `${group}, ${example.task} ${example.id}`);
      },
    }))
      results.push(result);
  const rows = summarise(results, { by: ["task", "length", "method", "budget"] }).map(rowOf);
  const known = [...Object.keys(registry), ...Object.keys(measuredRegistry)];
  rows.sort((a, b) => known.indexOf(a.method) - known.indexOf(b.method)); // stable: tasks and budgets stay as they are
  const date = new Date().toISOString().slice(0, 10);
  const measured = {
    date,
    command: `bun run compare --examples ${examples}`,
    provenance: await model.provenance(),
    rows,
  };
  await writeFile(`${MEASURED}.tmp`, `${JSON.stringify(measured, null, 1)}\n`);
  await rename(`${MEASURED}.tmp`, MEASURED);
  console.log(`${rows.length} rows in ${MEASURED}`);
});

function rowOf({ group, count, mean, low, high }: Summary): MeasuredRow {
  const round = (value: number) => Math.round(value * 1e4) / 1e4;
  return {
    method: String(group.method),
    budget: String(group.budget),
    task: `${group.task} ${group.length}`,
    n: count,
    mean: round(mean),
    low: round(low),
    high: round(high),
  };
}
