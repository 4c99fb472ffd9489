/** Accuracy of methods and budgets on files of examples: what to hold against the peers' published numbers. */
import { basename } from "node:path";
import { parseArgs } from "node:util";
import Table from "cli-table3";
import { command, integer, integers } from "../recipes/support/command.ts";
import { progressBar } from "../recipes/support/progress-bar.ts";
import { loadModel } from "../src/index.ts";
import { type AccuracyRow, accuracies } from "./evaluate/accuracy.ts";
import { readExamples } from "./evaluate/example.ts";

const USAGE = `bun bench/accuracy.ts FILE.jsonl ... [options]

A line of a file: {"id", "prompt", "answers": [...], "metric": "startswith_num" or "contains_first_colon"}; bench/evaluate/example.ts says
what these accept.

  --budgets A,B,...  entries kept per KV head on average (default: 64,128,256)
  --examples N       of each file (default: all)
  --whole            prefills the whole prompt, as peers do: the first token of an answer is then full attention's. Else the prompt's
                     last token is decoded on the compressed cache
  --model REF        a folder, a .gguf file or a Hub id (default: SmolLM2-135M-Instruct)
  --json             one JSON object per answer instead of the table
  --help             this text`;

async function main(): Promise<void> {
  const { values, positionals: files } = parseArgs({
    allowPositionals: true,
    options: {
      budgets: { type: "string", default: "64,128,256" },
      examples: { type: "string" },
      whole: { type: "boolean", default: false },
      model: { type: "string" },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help || files.length === 0) return console.log(USAGE);
  const budgets = integers("--budgets", values.budgets, 9);
  const most = values.examples === undefined ? undefined : integer("--examples", values.examples);
  const sets = files.map((file) => [basename(file), readExamples(file).slice(0, most)] as const);
  using model = await loadModel(values.model);
  for (const [name, examples] of sets) {
    using bar = progressBar(examples.length);
    const onAnswered = (count: number) => bar.advance(count, name);
    const rows = await accuracies(model, examples, budgets, { lastOnCache: !values.whole, onAnswered });
    if (values.json) printAnswers(rows);
    else console.log(table(name, rows));
  }
  if (!values.json) console.log(JSON.stringify(await model.provenance()));
}

function printAnswers(rows: readonly AccuracyRow[]): void {
  for (const { answers } of rows)
    for (const { example, method, text, right } of answers)
      console.log(JSON.stringify({ id: example.id, method: method.name, options: method.options, text, right }));
}

/** Accuracy, and its standard error. */
function table(name: string, rows: readonly AccuracyRow[]): string {
  const view = new Table({ head: [name, "budget", "right", "of", "accuracy"], style: { head: [], border: [] } });
  for (const { method, budget, right, of } of rows) {
    const share = right / of;
    const error = Math.sqrt((share * (1 - share)) / of);
    const figures = [String(right), String(of), `${share.toFixed(2)} ± ${error.toFixed(2)}`];
    view.push([method, Number.isFinite(budget) ? String(budget) : "all", ...figures]);
  }
  return view.toString();
}

await command("accuracy", main);
