/** Measures on a model, once, what some methods need to know of it. */
import { loadModel, saveMeasured } from "../src/index.ts";
import { curves, filters, queryStatistics } from "./measure/corpus.ts";
import { heads } from "./measure/heads.ts";
import type { Measurement } from "./measure/measurement.ts";
import { args, command, integer, one } from "./support/command.ts";
import { progressBar } from "./support/progress-bar.ts";

const measurements: Readonly<Record<string, Measurement>> = {
  filters,
  "query-statistics": queryStatistics,
  heads,
  curves,
};

const HELP = `bun run measure --what NAME [options]

Measures on a model what some methods need to know of it, and writes it with where it came from. Other models refuse the file.

  --what NAME        ${Object.entries(measurements)
    .map(([name, { explained }]) => `${name}: ${explained}`)
    .join("\n                     ")}
  --prompts N        needles that heads are averaged over (default: 16)
  --corpus FILE      of the others: a text of your own (default: parts of Moby-Dick, which the needles of evaluations also lie in)
  --sequences N      of the corpus, each run on its own (default: 8)
  --length N         tokens of each (default: 2048)
  --model REF        a folder, a .gguf file or a Hub id (default: SmolLM2-135M-Instruct)
  --out FILE         default: NAME.safetensors, as --measured of the evaluations looks for it
  --help             this text`;

await command("measure", async () => {
  const { values } = args({
    what: { type: "string", default: "" },
    corpus: { type: "string" },
    sequences: { type: "string", default: "8" },
    length: { type: "string", default: "2048" },
    prompts: { type: "string", default: "16" },
    model: { type: "string" },
    out: { type: "string" },
    help: { type: "boolean", default: false },
  });
  if (values.help) return console.log(HELP);
  const measure = one("--what", values.what, measurements);
  const settings = {
    corpus: values.corpus,
    sequences: integer("--sequences", values.sequences),
    length: integer("--length", values.length),
    prompts: integer("--prompts", values.prompts),
  };
  const out = values.out ?? `${values.what}.safetensors`;
  using model = await loadModel(values.model);
  using bar = progressBar(0);
  const onProgress = (done: number, total: number) => {
    bar.setTotal(total);
    bar.show(done, "tokens");
  };
  const { measured, found } = await measure.measure(model, settings, { onProgress });
  await saveMeasured(out, measured);
  console.log(`${out}: ${measured.label} of ${measured.provenance.tokens} tokens`);
  if (found !== undefined) console.log(found);
});
