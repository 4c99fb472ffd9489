/** Measures on a model, once, what some methods need to know of it. */
import { loadModel } from "../src/index.ts";
import { curves } from "./measure/curves.ts";
import { heads } from "./measure/heads.ts";
import type { Measurement } from "./measure/measurement.ts";
import { args, command, integer, named } from "./support/command.ts";

const measurements: Readonly<Record<string, Measurement>> = { heads, curves };

const HELP = `bun run measure-heads --what WHAT [options]

Measures on a model what some methods need to know of it, and writes it with where it came from. Other models refuse the file.

  --what WHAT        ${Object.entries(measurements)
    .map(([name, { explained }]) => `${name}: ${explained}`)
    .join("\n                     ")}
  --out FILE         (default: WHAT.json)
  --prompts N        it is averaged over so many (default: 16)
  --model REF        a folder, a .gguf file or a Hub id (default: SmolLM2-135M-Instruct)
  --help             this text`;

await command("measure-heads", async () => {
  const { values } = args({
    what: { type: "string" },
    out: { type: "string" },
    prompts: { type: "string", default: "16" },
    model: { type: "string" },
    help: { type: "boolean", default: false },
  });
  if (values.help) return console.log(HELP);
  const what = values.what ?? "";
  const [measurement] = named("--what", what, measurements);
  const prompts = integer("--prompts", values.prompts);
  const out = values.out ?? `${what}.json`;
  using model = await loadModel(values.model);
  console.log(`${out}: ${await measurement?.measure(model, prompts, out)}`);
});
