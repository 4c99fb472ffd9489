/** What a cache weighs and how fast it decodes, against the length of the prompt it was made of. */
import { median } from "simple-statistics";
import { compress, full, generate, loadModel, type Model, prefill, publishedRegistry, registry } from "../src/index.ts";
import { type Cost, checkPicturePath, costCurves, save } from "../src/pictures/index.ts";
import { args, command, integer, integers, named } from "./support/command.ts";
import { progressBar } from "./support/progress-bar.ts";

const HELP = `bun run cost [options]

Measures, on this machine and while nothing else runs, a cache's memory and the speed of decoding for prompts of several lengths.

  --lengths A,B,...  tokens of the prompt (default: 500,1000,2000,4000)
  --methods A,B,...  beside full attention (default: pyramidkv)
  --budget N         entries kept per KV head on average (default: 128)
  --tokens N         decoded each time, three times over; the median counts (default: 16)
  --model REF        a folder, a .gguf file or a Hub id (default: SmolLM2-135M-Instruct)
  --precision P      fp32 (default) or fast
  --out FILE         .html, .svg, .png or .json (default: cost.html)
  --json             one JSON object per row
  --help             this text`;

await command("cost", async () => {
  const { values } = args({
    lengths: { type: "string", default: "500,1000,2000,4000" },
    methods: { type: "string", default: "pyramidkv" },
    budget: { type: "string", default: "128" },
    tokens: { type: "string", default: "16" },
    model: { type: "string" },
    precision: { type: "string", default: "fp32" },
    out: { type: "string", default: "cost.html" },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  });
  if (values.help) return console.log(HELP);
  checkPicturePath(values.out);
  const lengths = integers("--lengths", values.lengths);
  const budget = integer("--budget", values.budget);
  const tokens = integer("--tokens", values.tokens);
  const makers = named("--methods", values.methods, { ...registry, ...publishedRegistry });
  const methods = [full(), ...makers.map((make) => make({ budget }))];
  const [precision = "fp32" as const] = named("--precision", values.precision, { fp32: "fp32", fast: "fast" } as const);
  using model = await loadModel(values.model, { precision });
  using bar = progressBar(lengths.length * methods.length);
  const costs: Cost[] = [];
  for (const length of lengths) {
    using context = await prefill(model, anyTokens(model, length), { observe: methods });
    for (const method of methods) {
      using cache = await compress(context, method);
      const tokensPerSecond = median([
        await speed(model, cache, tokens),
        await speed(model, cache, tokens),
        await speed(model, cache, tokens),
      ]);
      const cost = { method: method.name, context: length, bytes: cache.bytes, tokensPerSecond };
      costs.push(cost);
      bar.advance(1, `${method.name}, ${length} tokens`);
      if (values.json) console.log(JSON.stringify(cost));
    }
  }
  await save(costCurves(costs), values.out);
  if (!values.json) console.log(`${costs.length} measurements: ${values.out}`);
});

/** What they are does not change the time. */
function anyTokens({ config }: Model, length: number): Int32Array {
  return Int32Array.from({ length }, (_, i) => (i * 7919 + 13) % config.vocabSize);
}

async function speed(model: Model, cache: Parameters<typeof generate>[1], tokens: number): Promise<number> {
  const started = performance.now();
  // The first token comes from the prompt's logits: one more makes as many steps as tokens.
  await generate(model, cache, { maxNewTokens: tokens + 1, stopTokens: [] });
  return (1000 * tokens) / (performance.now() - started);
}
