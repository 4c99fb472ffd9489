/** A page on which a model runs on the browser's own GPU: what attention looks at, and what a method keeps of it, drawn as it happens. */
import { servedModels } from "./browser/models.ts";
import { servePage } from "./browser/server.ts";
import { args, command, integer } from "./support/command.ts";

const HELP = `bun run browser [options]

Serves a page that compresses KV caches on the browser's own GPU: nothing leaves it, and nothing is loaded from anywhere else. It offers
a tiny network of random weights, SmolLM2-135M-Instruct where that is in the cache, and GGUF files of yours.

  --model REF        one more: a folder, a .gguf file or a Hub id
  --port N           where to listen; 0 takes a free one (default: 7319)
  --help             this text`;

await command("browser", async () => {
  const { values } = args({
    model: { type: "string" },
    port: { type: "string", default: "7319" },
    help: { type: "boolean", default: false },
  });
  if (values.help) return console.log(HELP);
  const port = integer("--port", values.port, 0);
  const server = await servePage(await servedModels(values.model), port);
  console.log(`Open ${server.url} in a browser with WebGPU. Ctrl-C ends it.`);
});
