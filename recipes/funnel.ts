/** The attention funnel of a prompt: spread out in low layers, on a few tokens in high ones, and what a method keeps of it. */

import { loadModel, publishedRegistry, registry } from "../src/index.ts";
import { checkPicturePath, save } from "../src/pictures/index.ts";
import { args, command, integer, named } from "./support/command.ts";
import { drawFunnel } from "./support/funnel.ts";
import { textOf } from "./support/text-file.ts";

const HELP = `bun run funnel [options]

Draws where the attention of a prompt's last tokens falls, layer by layer, and what a method keeps. Default: a question over several
documents.

  --prompt FILE      a prompt of your own
  --documents N      of the default prompt (default: 24)
  --method NAME      whose entries are drawn over it (default: pyramidkv)
  --budget N         entries kept per KV head on average (default: 64)
  --window N         last tokens whose attention is drawn (default: 8)
  --model REF        a folder, a .gguf file or a Hub id (default: SmolLM2-135M-Instruct)
  --out FILE         .html, .svg, .png or .json (default: funnel.html)
  --json             prints the funnel's numbers
  --help             this text`;

await command("funnel", async () => {
  const { values } = args({
    prompt: { type: "string" },
    documents: { type: "string", default: "24" },
    method: { type: "string", default: "pyramidkv" },
    budget: { type: "string", default: "64" },
    window: { type: "string", default: "8" },
    model: { type: "string" },
    out: { type: "string", default: "funnel.html" },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  });
  if (values.help) return console.log(HELP);
  checkPicturePath(values.out);
  const budget = integer("--budget", values.budget);
  const documents = integer("--documents", values.documents, 2);
  const window = integer("--window", values.window);
  const [make = registry.pyramidkv] = named("--method", values.method, { ...registry, ...publishedRegistry });
  const prompt = values.prompt === undefined ? null : await textOf(values.prompt, "--prompt");
  using model = await loadModel(values.model);
  const { shown, picture } = await drawFunnel(model, { prompt, documents, method: make({ budget }), window });
  await save(picture, values.out);
  if (values.json) console.log(JSON.stringify({ ...shown, provenance: await model.provenance() }));
  else console.log(`${picture.alt} ${values.out}`);
});
