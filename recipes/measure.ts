/** Measures on a corpus what some methods need of a model, once: Q-Filters' filters, ExpectedAttention's query statistics. */
import { loadModel, saveMeasured } from "../src/index.ts";
import { args, command, integer, one } from "./support/command.ts";
import { corpus } from "./support/corpus.ts";
import { measurements } from "./support/measurements.ts";
import { progressBar } from "./support/progress-bar.ts";

const HELP = `bun run measure --what NAME [options]

Runs a corpus through a model and saves what a method needs to know of it, with model, weights' hash and corpus' hash.

  --what NAME        ${Object.keys(measurements).join(", ")}
  --corpus FILE      a text of your own (default: parts of Moby-Dick, which the needles of evaluations also lie in)
  --sequences N      of the corpus, each run on its own (default: 8)
  --length N         tokens of each (default: 2048)
  --model REF        a folder, a .gguf file or a Hub id (default: SmolLM2-135M-Instruct)
  --out FILE         default: NAME.safetensors
  --help             this text`;

await command("measure", async () => {
  const { values } = args({
    what: { type: "string", default: "" },
    corpus: { type: "string" },
    sequences: { type: "string", default: "8" },
    length: { type: "string", default: "2048" },
    model: { type: "string" },
    out: { type: "string" },
    help: { type: "boolean", default: false },
  });
  if (values.help) return console.log(HELP);
  const measure = one("--what", values.what, measurements);
  const [count, length] = [integer("--sequences", values.sequences), integer("--length", values.length)];
  using model = await loadModel(values.model);
  const sequences = await corpus(model, values.corpus, count, length);
  using bar = progressBar(sequences.reduce((sum, tokens) => sum + tokens.length, 0));
  const result = await measure(model, sequences, { onProgress: (done) => bar.show(done, "tokens") });
  const out = values.out ?? `${result.kind}.safetensors`;
  await saveMeasured(out, result);
  console.log(`${result.label} of ${result.provenance.tokens} tokens: ${out}`);
});
