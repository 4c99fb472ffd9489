/**
 * Accuracy of methods and budgets on files of examples: `bun bench/accuracy.ts FILE.jsonl ...`, a line being
 * `{"id", "prompt", "answers", "metric"}` (evaluate/example.ts says what the metrics accept).
 *
 * `--whole` prefills the whole prompt, as the peers' published numbers do: the first token is then full attention's.
 */
import { basename } from "node:path";
import { parseArgs } from "node:util";
import Table from "cli-table3";
import { asPublished, full, h2o, loadModel, pyramidKV, snapKV, streamingLLM } from "../src/index.ts";
import { ask } from "./evaluate/answers.ts";
import { readExamples } from "./evaluate/example.ts";
import { progressBar } from "./progress.ts";

const { values, positionals: files } = parseArgs({
  allowPositionals: true,
  options: {
    model: { type: "string" },
    budgets: { type: "string", default: "64,128,256" },
    examples: { type: "string" },
    whole: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  },
});

const { kvcacheFactory, kvpress } = asPublished;
const makers = {
  streamingllm: streamingLLM,
  h2o,
  snapkv: snapKV,
  pyramidkv: pyramidKV,
  "kvcache-factory/pyramidkv": kvcacheFactory.pyramidKV,
  "kvpress/snapkv, window 8": ({ budget }: { budget: number }) => kvpress.snapKV({ budget, window: 8 }),
};

const budgets = values.budgets.split(",").map(Number);
const configurations = Object.entries(makers).flatMap(([name, make]) =>
  budgets.map((budget) => ({ name, budget, method: make({ budget }) })),
);
const whole = full();
const methods = [whole, ...configurations.map(({ method }) => method)];
const head = ["examples", "method", ...budgets.map(String)];
const table = new Table({ head, style: { head: [], border: [] } });
using model = await loadModel(values.model);
for (const file of files) {
  const examples = readExamples(file).slice(0, values.examples === undefined ? undefined : Number(values.examples));
  using bar = progressBar(examples.length);
  const answers = await ask(model, examples, methods, {
    lastOnCache: !values.whole,
    onAnswered: (count) => bar.advance(count, basename(file)),
  });
  if (values.json)
    for (const { example, method, text, right } of answers)
      console.log(JSON.stringify({ id: example.id, method: method.name, options: method.options, text, right }));
  const accuracy = (method: (typeof methods)[number]) => {
    const right = answers.filter((answer) => answer.method === method && answer.right).length;
    return `${(right / examples.length).toFixed(2)} (${right})`;
  };
  const named = `${basename(file)}, ${examples.length}`;
  table.push([named, "full", { colSpan: budgets.length, content: accuracy(whole) }]);
  for (const name of Object.keys(makers)) {
    const row = configurations.filter((configuration) => configuration.name === name);
    table.push([named, name, ...row.map(({ method }) => accuracy(method))]);
  }
}
if (!values.json) console.log(table.toString());
