/** The attention funnel of a prompt: spread out in low layers, on a few tokens in high ones, and what a method keeps of it. */
import { readFile } from "node:fs/promises";
import { documentBounds, multiDocQa } from "../src/evaluate/index.ts";
import { compress, KvError, loadModel, prefill, publishedRegistry, registry, type Tokenizer } from "../src/index.ts";
import { type Boundary, funnel, funnelHeatmap, retained, save } from "../src/pictures/index.ts";
import { args, command, integer, named } from "./support/command.ts";

const HELP = `bun run funnel [options]

Draws where the attention of a prompt's last tokens falls, layer by layer, and what a method keeps. Default: a question over several
documents.

  --prompt FILE      a prompt of your own
  --documents N      of the default prompt (default: 12)
  --method NAME      whose entries are drawn over it (default: pyramidkv)
  --budget N         entries kept per KV head on average (default: 128)
  --window N         last tokens whose attention is drawn (default: 8)
  --model REF        a folder, a .gguf file or a Hub id (default: SmolLM2-135M-Instruct)
  --out FILE         .html, .svg, .png or .json (default: funnel.html)
  --json             prints the funnel's numbers, too
  --help             this text`;

await command("funnel", async () => {
  const { values } = args({
    prompt: { type: "string" },
    documents: { type: "string", default: "12" },
    method: { type: "string", default: "pyramidkv" },
    budget: { type: "string", default: "128" },
    window: { type: "string", default: "8" },
    model: { type: "string" },
    out: { type: "string", default: "funnel.html" },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  });
  if (values.help) return console.log(HELP);
  const budget = integer("--budget", values.budget);
  const documents = integer("--documents", values.documents, 2);
  const window = integer("--window", values.window);
  const [make = registry.pyramidkv] = named("--method", values.method, { ...registry, ...publishedRegistry });
  const method = make({ budget });
  using model = await loadModel(values.model);
  const { tokenizer, config } = model;
  if (tokenizer === null) {
    const allowed = "a model with a tokenizer";
    throw new KvError({ code: "tokenizer_missing", path: ["--model"], found: model.id, allowed });
  }
  const { prompt, boundaries } =
    values.prompt === undefined
      ? await documentsPrompt(tokenizer, config.contextLength, documents)
      : { prompt: await readFile(values.prompt, "utf8").catch(unreadable(values.prompt)), boundaries: [] };
  using context = await prefill(model, prompt, { observe: [method] });
  using cache = await compress(context, method);
  const shown = await funnel(context, { window, boundaries });
  const picture = funnelHeatmap(shown, {
    retained: retained(cache, shown.edges),
    keptBy: `${method.name}, ${budget} entries`,
  });
  await save(picture, values.out);
  if (values.json) console.log(JSON.stringify({ ...shown, provenance: await model.provenance() }));
  else console.log(`${picture.alt} ${values.out}`);
});

/** A question over made-up documents, and where each of them begins. */
async function documentsPrompt(tokenizer: Tokenizer, contextLength: number, documents: number) {
  const task = multiDocQa({ documents: [documents], examples: 1 });
  for await (const example of task.examples({ tokenizer, contextLength, seed: 0 })) {
    const bounds = documentBounds(tokenizer, example);
    const boundaries = bounds.map(
      (position, i): Boundary => ({ position, label: i < documents ? `document ${i + 1}` : "question" }),
    );
    return { prompt: example.prompt, boundaries };
  }
  throw new RangeError("no example");
}

function unreadable(path: string) {
  return (cause: unknown): never => {
    const found = cause instanceof Error ? cause.message : String(cause);
    throw new KvError({
      code: "invalid_option",
      path: ["--prompt"],
      found,
      allowed: `a readable file, ${path}`,
      cause,
    });
  };
}
