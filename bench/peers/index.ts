/**
 * Our speed and memory beside the peers' and the hardware's limit, in one run: turns taken, same machine, same threads, medians
 * and extremes.
 *
 * Absent peers are said to be absent. README.md beside this file says how to install them; `--only small,sweep,memory,512`
 * picks parts, `--readme` writes the table into bench/README.md.
 */
import { parseArgs } from "node:util";
import { command, integer } from "../../recipes/support/command.ts";
import { KvError } from "../../src/index.ts";
import { writeTable } from "./report.ts";
import { run } from "./run.ts";
import { SIZES } from "./sizes.ts";

const USAGE = `bun run bench [options]

  --only PARTS     of memory, small, sweep, and lengths of prompts (default: memory,small,512,2048,sweep,8000)
  --repeat N       rounds (default: 3)
  --threads N      of everyone (default: 2)
  --patience S     seconds spent, over the whole run, on waiting for a quiet machine and on asking again (default: 240)
  --without PEERS  to leave out: q4_0, q4_1, kvpress
  --readme         writes the table into bench/README.md
  --help           this text`;
const PARTS = ["memory", "small", "sweep"];

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      only: { type: "string", default: "memory,small,512,2048,sweep,8000" },
      repeat: { type: "string", default: "3" },
      threads: { type: "string", default: "2" },
      patience: { type: "string", default: "240" },
      without: { type: "string", default: "" },
      readme: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return console.log(USAGE);
  const parts = values.only.split(",");
  // A prompt that fits the budget has nothing to compress, and kvpress takes no such ratio.
  const isLength = (part: string) => /^\d+$/.test(part) && Number(part) > SIZES.budget;
  const unknown = parts.find((part) => !PARTS.includes(part) && !isLength(part));
  if (unknown !== undefined)
    throw new KvError({
      code: "invalid_option",
      path: ["--only"],
      found: unknown,
      allowed: `${PARTS.join(", ")}, or the length of a prompt, above ${SIZES.budget}`,
    });
  const { text } = await run({
    parts,
    sizes: SIZES,
    repeat: integer("--repeat", values.repeat),
    threads: integer("--threads", values.threads),
    patience: integer("--patience", values.patience, 0),
    without: values.without.split(","),
    log: console.error,
  });
  console.log(text);
  if (values.readme) await writeTable(text);
}

await command("bench", main);
