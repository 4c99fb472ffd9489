/** What a faster precision costs: its logits and its answers beside fp32's, on real text and small tasks. */
import { parseArgs } from "node:util";
import { command, integer } from "../recipes/support/command.ts";
import { progressBar } from "../recipes/support/progress-bar.ts";
import { full, KvError, type LoadOptions, loadModel, type Model, pyramidKV } from "../src/index.ts";
import { stretches, tasks } from "./evaluate/index.ts";
import { amountOf, compare, type Row } from "./precision/compare.ts";
import { report } from "./precision/report.ts";

const USAGE = `bun run bench:precision [options]

The error of one precision against fp32: logits (RMS, KL divergence, top-1 agreement) over chapters of Moby-Dick, at prefill and while
decoding on a full and a compressed cache; and right answers on small tasks.

  --model REF        a folder, a .gguf file or a Hub id (default: SmolLM2-135M-Instruct)
  --precision NAME   fast (default), or fp32: against itself, where every difference must be 0
  --examples N       of each of four tasks (default: 20); 0 leaves the tasks out
  --json             one JSON object per row, and one that says what was measured, instead of the tables
  --help             this text`;

const TEXTS = 4;
const TOKENS = 512;
const DECODED = 48;
const PRECISIONS = ["fast", "fp32"] as const;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      model: { type: "string" },
      precision: { type: "string", default: "fast" },
      examples: { type: "string", default: "20" },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return console.log(USAGE);
  const examples = integer("--examples", values.examples, 0);
  const precision = PRECISIONS.find((name) => name === values.precision);
  if (precision === undefined)
    throw new KvError({
      code: "invalid_option",
      path: ["--precision"],
      found: values.precision,
      allowed: PRECISIONS.join(" or "),
    });
  using reference = await loadModel(values.model);
  const options: LoadOptions = { progress: true, ...(precision === "fp32" ? {} : { precision }) };
  using other = await loadModel(values.model, options);
  const rows: Row[] = [];
  for await (const row of rowsOf(reference, other, examples)) {
    rows.push(row);
    if (values.json) console.log(JSON.stringify(row));
  }
  const provenance = [await reference.provenance(), await other.provenance()] as const;
  console.log(values.json ? JSON.stringify(provenance) : report(rows, ...provenance));
}

async function* rowsOf(reference: Model, other: Model, examples: number): AsyncGenerator<Row> {
  const { tokenizer, id } = reference;
  if (tokenizer === null)
    throw new KvError({ code: "tokenizer_missing", path: ["--model"], found: id, allowed: "a model with a tokenizer" });
  const work = {
    texts: stretches(tokenizer, TEXTS, TOKENS),
    decoded: DECODED,
    methods: [full(), pyramidKV({ budget: 128 })],
    tasks: examples === 0 ? [] : await tasks(tokenizer, examples),
  };
  using bar = progressBar(amountOf(work));
  yield* compare(reference, other, { ...work, onProgress: bar.advance });
}

await command("bench:precision", main);
