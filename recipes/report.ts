/** What a store holds, as one page: tables, curves, heatmaps, configuration, and how to make the numbers again. */
import { access } from "node:fs/promises";
import { openStore, summarise } from "../src/evaluate/index.ts";
import { KvError } from "../src/index.ts";
import { report, savePage } from "../src/pictures/index.ts";
import { args, command } from "./support/command.ts";

const HELP = `bun run report STORE [options]

  --out FILE         the page (default: report.html)
  --export FILE      all results as a table: .csv, .parquet, .json or .jsonl
  --merge FILE       takes in another store's results first; may be given several times
  --sql QUERY        prints what SQL finds in the table \`results\`, as JSON lines, rather than to write a page
  --title TEXT       of the page
  --help             this text`;

await command("report", async () => {
  const options = {
    out: { type: "string", default: "report.html" },
    export: { type: "string" },
    merge: { type: "string", multiple: true },
    sql: { type: "string" },
    title: { type: "string" },
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
  const placed = results.filter(({ facets }) => "length" in facets && "depth" in facets);
  const page = report({
    title: values.title,
    results,
    summaries: summarise(results, { by: ["task", "method", "budget"] }),
    needles: summarise(placed, { by: ["task", "method", "budget", "length", "depth"] }),
    commands: [`bun run report ${path} --out ${values.out}`],
  });
  await savePage(page, values.out);
  console.log(`${results.length} results: ${values.out}`);
});

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
