/** What a store holds, as one page: tables, curves, heatmaps, configuration, and how to make the numbers again. */
import { access } from "node:fs/promises";
import { openStore, summarise } from "../src/evaluate/index.ts";
import { KvError, loadModel, type Model } from "../src/index.ts";
import { args, command } from "./support/command.ts";
import { writePage } from "./support/page.ts";

const HELP = `bun run report STORE [options]

  --out FILE         the page (default: report.html)
  --export FILE      all results as a table: .csv, .parquet, .json or .jsonl
  --merge FILE       takes in another store's results first; may be given several times
  --sql QUERY        prints what SQL finds in the table \`results\`, as JSON lines, rather than to write a page
  --json             prints a summary of each task, method and budget, rather than to write a page
  --title TEXT       of the page
  --model REF        the results' model, to draw its funnel (default: SmolLM2-135M-Instruct); another's is not drawn
  --no-funnel        loads no model
  --help             this text`;

await command("report", async () => {
  const options = {
    out: { type: "string", default: "report.html" },
    export: { type: "string" },
    merge: { type: "string", multiple: true },
    sql: { type: "string" },
    json: { type: "boolean", default: false },
    title: { type: "string" },
    model: { type: "string" },
    "no-funnel": { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  } as const;
  const { values, positionals } = args(options, true);
  if (values.help) return console.log(HELP);
  const [path, ...more] = positionals;
  if (path === undefined || more.length > 0)
    throw new KvError({
      code: "invalid_option",
      path: ["command line"],
      found: positionals.join(" "),
      allowed: "one store, such as results/sweep.duckdb",
    });
  for (const file of [path, ...(values.merge ?? [])]) await exists(file);
  await using store = await openStore(path);
  if (values.merge !== undefined) console.log(`${await store.merge(values.merge)} results taken in`);
  if (values.sql !== undefined) {
    for (const row of await store.query(values.sql)) console.log(JSON.stringify(row));
    return;
  }
  if (values.export !== undefined) await store.export(values.export);
  const results = await Array.fromAsync(store.results());
  if (values.json) {
    const summaries = results.length === 0 ? [] : summarise(results, { by: ["task", "method", "budget"] });
    for (const summary of summaries) console.log(JSON.stringify(summary));
    return;
  }
  using model = values["no-funnel"] || results.length === 0 ? null : await modelOf(values.model);
  const commands = [`bun run report ${path} --out ${values.out}`];
  await writePage({ results, out: values.out, title: values.title, model, commands });
  console.log(`${results.length} results: ${values.out}`);
});

/** What was measured is shown, also where the model is not at hand. */
async function modelOf(reference: string | undefined): Promise<Model | null> {
  try {
    return await loadModel(reference);
  } catch (fault) {
    if (!(fault instanceof KvError)) throw fault;
    console.error(`report: no funnel, ${fault.message}`);
    return null;
  }
}

/** A store that is misspelt would else be made anew, and be empty. */
async function exists(path: string): Promise<void> {
  try {
    await access(path);
  } catch (cause) {
    throw new KvError({
      code: "disk_error",
      path: [path],
      found: "no such file",
      allowed: "a store that exists",
      cause,
    });
  }
}
