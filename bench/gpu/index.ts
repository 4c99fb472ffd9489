/** The GPU engine's goals, measured on whatever WebGPU the runtime finds: kernels beside the device's own limits, and a whole network of Llama-3-8B's shape. */
import { rename, writeFile } from "node:fs/promises";
import { args, command, integer, named, one } from "../../recipes/support/command.ts";
import { KvError } from "../../src/error.ts";
import { openGpu } from "../../src/gpu/index.ts";
import { Lab } from "./lab.ts";
import type { StoredAs } from "./random-weights.ts";
import { type Measured, reportOf, table } from "./report.ts";
import { rows } from "./rows/index.ts";
import { run } from "./run.ts";
import { resized, scales } from "./scale.ts";

const HELP = `bun run bench:gpu [options]

Measures the GPU engine on whatever WebGPU the runtime finds, with random weights in Llama-3-8B's shape: nothing is downloaded. Limits of
the device, kernels alone, then prefill, compression, memory and decoding of a prompt of 32k tokens. A software device runs --scale tiny.

  --rows A,B,...     some of ${Object.keys(rows).join(", ")} (default: all)
  --scale NAME       full (default), or tiny: shows in a minute that all of it runs
  --layers N         of the network, instead of the scale's: goals are then not judged
  --prompt N         tokens of the prompt, instead of the scale's: likewise
  --weights TYPE     Q4_0 (default), F16 or F32: how the network's matrices are stored
  --precision P      fp32 (default), or fast: the network's products in half precision and in bytes, where the device has them
  --out FILE         everything as JSON, written anew after each row
  --help             this text

The table goes to stdout, each row to stderr when it is done. A row that fails says why, and the exit code is then 1.`;

const PRECISIONS = { fp32: "fp32", fast: "fast" } as const;
const TYPES: Readonly<Record<StoredAs, StoredAs>> = { Q4_0: "Q4_0", F16: "F16", F32: "F32" };

async function main(): Promise<void> {
  const { values } = args({
    rows: { type: "string" },
    scale: { type: "string", default: "full" },
    layers: { type: "string" },
    prompt: { type: "string" },
    weights: { type: "string", default: "Q4_0" },
    precision: { type: "string", default: "fp32" },
    out: { type: "string" },
    help: { type: "boolean", default: false },
  });
  if (values.help) return console.log(HELP);
  const chosen = values.rows === undefined ? rows : only(values.rows);
  const layers = values.layers === undefined ? undefined : integer("--layers", values.layers);
  const base = one("--scale", values.scale, scales);
  const prompt = values.prompt === undefined ? undefined : integer("--prompt", values.prompt, base.budget);
  const scale = resized(base, layers, prompt);
  const stored = one("--weights", values.weights, TYPES);
  const precision = one("--precision", values.precision, PRECISIONS);
  const { out } = values;
  using lab = new Lab(await openGpu(), scale, { stored, precision, tell: (text) => console.error(text) });
  if (lab.gpu.software && base === scales.full) throw slow(lab.gpu.name);
  const report = (measured: readonly Measured[]) => reportOf(lab, measured);
  const keep = async (measured: readonly Measured[]) => {
    if (out !== undefined) await write(out, report(measured));
  };
  await keep([]);
  let unwritten: unknown = null;
  const measured = await run(lab, chosen, async (all) => {
    say(all.at(-1));
    await keep(all).catch((fault: unknown) => {
      unwritten = fault; // the table is yet to come
    });
  });
  console.log(table(report(measured)));
  if (unwritten !== null) throw unwritten;
  if (measured.some((row) => "fault" in row)) process.exitCode = 1;
}

/** The rows that are named, in the order of all. @throws KvError `invalid_option` */
function only(names: string): typeof rows {
  const wanted = named("--rows", names, rows);
  return Object.fromEntries(Object.entries(rows).filter(([, row]) => wanted.includes(row)));
}

function say(row: Measured | undefined): void {
  if (row === undefined) return;
  const lines =
    "fault" in row ? [`failed: ${row.fault}`] : row.lines.map(({ what, measured }) => `${what}: ${measured}`);
  console.error(`${row.row} (${row.seconds.toFixed(1)} s)\n${lines.map((line) => `  ${line}`).join("\n")}`);
}

const slow = (found: string): KvError =>
  new KvError({
    code: "device_unavailable",
    path: ["--scale full"],
    found,
    allowed: "on a GPU",
    hint: "--scale tiny runs here",
  });

/** Whole or not at all. @throws KvError `disk_error` */
async function write(path: string, value: unknown): Promise<void> {
  try {
    await writeFile(`${path}.part`, `${JSON.stringify(value, null, 2)}\n`);
    await rename(`${path}.part`, path);
  } catch (cause) {
    const found = cause instanceof Error ? cause.message : String(cause);
    throw new KvError({
      code: "disk_error",
      path: ["--out"],
      found,
      allowed: "a file that can be written",
      cause,
    });
  }
}

await command("bench:gpu", main);
