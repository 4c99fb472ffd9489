/** Writes the pages of docs/ that are made from docstrings and from docs/measured.json. */
import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { pages } from "./docs/pages.ts";
import { args, command } from "./support/command.ts";

const HELP = `bun run docs

Writes a page for every registered method, decoding policy, wrapper and merge, and the comparison, from docstrings and from docs/measured.json, which
bun run compare makes.

  --help             this text`;

await command("docs", async () => {
  const { values } = args({ help: { type: "boolean", default: false } });
  if (values.help) return console.log(HELP);
  const all = pages();
  for (const [path, content] of all) {
    const target = fileURLToPath(new URL(`../docs/${path}`, import.meta.url));
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, content);
  }
  console.log(`${all.size} pages in docs`);
});
