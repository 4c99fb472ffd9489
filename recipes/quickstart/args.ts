/** The quickstart's command line. */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { KvError } from "../../src/index.ts";

export const USAGE = `bun run quickstart [options]

One prefill of a long document, then the six methods at several budgets: what was kept, what it weighs, whether the answer survived.

  --model REF        a folder, a .gguf file or a Hub id (default: SmolLM2-135M-Instruct)
  --budgets A,B,...  entries kept per KV head on average (default: 64,128,256,512)
  --prompt FILE      a prompt of your own; answers are then compared with full attention's
  --json             one JSON object per line instead of the table
  --help             this text`;

export interface Args {
  readonly model: string | undefined;
  readonly budgets: readonly number[];
  /** The user's own prompt. */
  readonly prompt: string | null;
  readonly json: boolean;
  readonly help: boolean;
}

const OPTIONS = {
  model: { type: "string" },
  budgets: { type: "string", default: "64,128,256,512" },
  prompt: { type: "string" },
  json: { type: "boolean", default: false },
  help: { type: "boolean", default: false },
} as const;

/** @throws KvError `invalid_option` */
export function parse(argv: readonly string[]): Args {
  const { values } = guarded(
    () => parseArgs({ args: [...argv], options: OPTIONS }),
    ["command line"],
    argv.join(" "),
    "as --help says",
  );
  const { prompt: file } = values;
  const prompt =
    file === undefined ? null : guarded(() => readFileSync(file, "utf8"), ["--prompt"], file, "a readable text file");
  if (prompt === "") {
    const allowed = "a file with text";
    throw new KvError({ code: "empty_prompt", path: ["--prompt"], found: file, allowed, hint: "this one is empty" });
  }
  return {
    model: values.model,
    budgets: values.budgets.split(",").map(budget),
    prompt,
    json: values.json,
    help: values.help,
  };
}

function budget(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && Number.isSafeInteger(value) && value > 8) return value;
  throw new KvError({
    code: "invalid_option",
    path: ["--budgets"],
    found: text,
    allowed: "integers > 8 (the window), separated by commas",
  });
}

function guarded<T>(work: () => T, path: string[], found: string, allowed: string): T {
  try {
    return work();
  } catch (cause) {
    throw new KvError({
      code: "invalid_option",
      path,
      found,
      allowed,
      hint: String(cause instanceof Error ? cause.message : cause).replace(/\.$/, ""),
      cause,
    });
  }
}
