/** What the evaluation recipes share: which model, methods and budgets; a store that the same command goes on with; and a table at the end. */
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import Table from "cli-table3";
import {
  bullQueue,
  type Job,
  type Outcome,
  openStore,
  parseBudget,
  parseShard,
  type Result,
  type Summary,
  summarise,
  sweep,
  sweepRunner,
  type Task,
  worker,
} from "../../src/evaluate/index.ts";
import { KvError, loadModel } from "../../src/index.ts";
import { chosenMethods } from "./chosen-methods.ts";
import { named } from "./command.ts";
import type { Values } from "./evaluation-options.ts";
import { writePage } from "./page.ts";
import { progressBar } from "./progress-bar.ts";

/** Asks the tasks and shows what came of it. @param facets what the table tells apart beside task, method and budget */
export async function evaluate(recipe: string, values: Values, tasks: readonly Task[], facets: readonly string[] = []) {
  const methodsOf = chosenMethods(values.methods, values.measured);
  const budgets = values.budgets.split(",").map((budget) => parseBudget(budget, ["--budgets"]));
  const seeds = values.seeds.split(",").map(seed);
  const shard = values.shard === undefined ? undefined : parseShard(values.shard);
  const [precision] = named("--precision", values.precision, { fp32: "fp32", fast: "fast" } as const);
  if (values.worker && values.redis === undefined)
    throw new KvError({ code: "invalid_option", path: ["--redis"], found: undefined, allowed: "given with --worker" });
  const queued = values.redis === undefined ? null : { redis: values.redis, name: recipe };
  using model = await loadModel(values.model, { precision });
  const methods = await methodsOf(model);
  const interrupted = new AbortController();
  const { signal } = interrupted;
  const onInterrupt = () => interrupted.abort();
  process.once("SIGINT", onInterrupt);
  using _ = { [Symbol.dispose]: () => process.off("SIGINT", onInterrupt) };
  if (values.worker && queued !== null) {
    const done = await worker<Job, Outcome>({ ...queued, run: sweepRunner({ model, methods }), signal });
    return console.log(`${done} examples done`);
  }
  const path = values.store ?? `results/${recipe}.duckdb`;
  if (values.store === undefined) await mkdir(dirname(path), { recursive: true });
  await using store = await openStore(path);
  const results: Result[] = [];
  {
    using bar = progressBar(0);
    const run = sweep({
      model,
      tasks,
      methods,
      budgets,
      seeds,
      store,
      shard,
      queue: queued === null ? undefined : bullQueue(queued),
      lastOnCache: !values.whole,
      fidelity: values.fidelity,
      oracle: !values["no-oracle"],
      signal,
      onProgress: ({ done, total, example }) => {
        bar.setTotal(total);
        bar.show(done, example === null ? "" : `${example.task} ${example.id}`);
      },
    });
    try {
      for await (const result of run) {
        results.push(result);
        if (values.json) console.log(JSON.stringify(result));
      }
    } catch (fault) {
      if (!signal.aborted) throw fault;
      bar[Symbol.dispose]();
      console.error(`${recipe}: interrupted; what is done is in ${path}, and the same command goes on from there`);
      process.exitCode = 130;
      return;
    }
  }
  if (values.out !== undefined) {
    const commands = [`bun run ${[recipe, ...process.argv.slice(2)].map(quoted).join(" ")}`];
    await writePage({ results, out: values.out, title: recipe, model, commands });
  }
  if (values.json) return;
  const present = facets.filter((name) => results.some((result) => name in result.facets));
  if (results.length > 0) console.log(table(summarise(results, { by: ["task", ...present, "method", "budget"] })));
  console.log(JSON.stringify(await model.provenance()));
  console.log(`${results.length} results in ${path}; as a page: ${values.out ?? `bun run report ${path}`}`);
}

/** As a shell takes it. */
const quoted = (word: string): string => (/^[\w./:,=@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);

function table(summaries: readonly Summary[]): string {
  const groups = Object.keys(summaries[0]?.group ?? {});
  const view = new Table({
    head: [...groups, "score", "95 % interval", "examples", "entries kept", "KV MiB"],
    style: { head: [], border: [] },
    chars: { mid: "", "left-mid": "", "mid-mid": "", "right-mid": "" }, // no lines between rows
  });
  for (const { group, mean, low, high, count, small, kept, bytes } of summaries) {
    const examples = small ? `${count}, few` : String(count);
    const interval = `${low.toFixed(2)} to ${high.toFixed(2)}`;
    const mebibytes = (bytes / 2 ** 20).toFixed(1);
    view.push([...Object.values(group).map(String), mean.toFixed(2), interval, examples, kept.toFixed(0), mebibytes]);
  }
  return view.toString();
}

function seed(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && Number.isSafeInteger(value)) return value;
  throw new KvError({
    code: "invalid_option",
    path: ["--seeds"],
    found: text,
    allowed: "integers separated by commas",
  });
}
