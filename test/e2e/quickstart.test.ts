/** The quickstart as a user runs it: a process, its exit code and what it prints. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { goldenGguf } from "../support/golden-model.ts";

const RECIPE = fileURLToPath(new URL("../../recipes/quickstart.ts", import.meta.url));
const model = await goldenGguf();
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "pyramidkv-quickstart-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const start = (...args: readonly string[]) =>
  Bun.spawn([process.execPath, RECIPE, ...args], { cwd: folder, stdin: "ignore", stdout: "pipe", stderr: "pipe" });

async function run(...args: readonly string[]) {
  const child = start(...args);
  const [out, err, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return { out, err, code };
}

test("--help explains every option", async () => {
  const { out, err, code } = await run("--help");
  expect({ err, code }).toEqual({ err: "", code: 0 });
  for (const option of ["--model", "--budgets", "--prompt", "--json", "--help"]) expect(out).toContain(option);
});

describe("a wrong command line ends with one line that says what is allowed", () => {
  const cases: [name: string, args: () => string[], allowed: string][] = [
    ["an unknown option", () => ["--budget", "64"], "--budget"],
    ["a stray argument", () => ["64"], "64"],
    ["an option without its value", () => ["--model"], "--model"],
    ["a value that looks like an option", () => ["--budgets", "-5"], "--budgets"],
    ...["0", "8", "1.5", "abc", "", "64,,128", "NaN", "1e30"].map(
      (budgets): [name: string, args: () => string[], allowed: string] => [
        `--budgets ${JSON.stringify(budgets)}`,
        () => [`--budgets=${budgets}`],
        "integers > 8",
      ],
    ),
    ["a prompt file that is missing", () => ["--prompt", join(folder, "none.txt")], "a readable text file"],
    ["a prompt file that is a folder", () => ["--prompt", folder], "a readable text file"],
    ["a prompt file that is empty", () => ["--prompt", file("empty.txt", "")], "a file with text"],
    ["a model file that is missing", () => ["--model", "./none.gguf"], "an existing folder or .gguf file"],
    ["a model folder without a model", () => ["--model", folder], "a folder with model.safetensors"],
    ["a model that is no reference", () => ["--model", ""], "a Hub id"],
  ];

  test.concurrent.each(cases)("%s", async (_name, args, allowed) => {
    const { out, err, code } = await run(...args());
    expect({ out, code }).toEqual({ out: "", code: 1 });
    expect(err).toMatch(/^quickstart: [^\n]*\n$/);
    expect(err).toContain(allowed);
  });
});

const Row = z.strictObject({
  method: z.string(),
  budget: z.int().nullable(),
  answer: z.string(),
  right: z.boolean(),
  entries: z.int(),
  bytes: z.int(),
  share: z.number().min(0).max(1),
  compressMs: z.number().min(0),
  decodeTokensPerSecond: z.number().min(0),
});
const Summary = z.strictObject({
  promptTokens: z.int(),
  prefillTokensPerSecond: z.number().positive(),
  peakMiB: z.number().positive(),
  provenance: z.strictObject({
    model: z.string(),
    revision: z.null(),
    weights: z.string().regex(/^sha256:[0-9a-f]{64}$/),
    engine: z.string(),
    precision: z.literal("fp32"),
    threads: z.int().positive(),
    versions: z.record(z.string(), z.string()),
  }),
});

const LAYERS = 30;
const KV_HEADS = 3;
const HEAD_DIM = 64;
const story = "The quick brown fox jumps over the lazy dog, and nobody in the village knows why it does so.\n";
const question = `${story.repeat(12)}Question: What does the fox jump over?\nAnswer: The fox jumps over the`;

if (model !== null) {
  describe("on SmolLM2-135M-Instruct", () => {
    test("--json gives a row per method and budget, and where the numbers come from", async () => {
      const prompt = file("prompt.txt", question);
      const { out, err, code } = await run("--model", model, "--budgets", "64", "--json", "--prompt", prompt);
      expect({ err, code }).toEqual({ err: "", code: 0 });
      const lines: unknown[] = out
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line));
      const rows = lines.slice(0, -1).map((line) => Row.parse(line));
      const summary = Summary.parse(lines.at(-1));
      expect(rows.map(({ method, budget }) => [method, budget])).toEqual([
        ["full", null],
        ["window", 64],
        ["streamingllm", 64],
        ["h2o", 64],
        ["snapkv", 64],
        ["pyramidkv", 64],
      ]);
      const prefilled = summary.promptTokens - 1;
      for (const { budget, entries, bytes, share } of rows) {
        expect(entries).toBe((budget ?? prefilled) * LAYERS * KV_HEADS);
        expect(bytes).toBe(entries * HEAD_DIM * 2 * 4);
        expect(share).toBeCloseTo((budget ?? prefilled) / prefilled, 10);
      }
      const [reference] = rows;
      expect(reference?.answer).toContain("lazy dog");
      expect(reference?.right).toBe(true);
      for (const { right, answer } of rows) expect(right).toBe(answer.startsWith(reference?.answer ?? "?"));
      expect(summary.provenance.versions).toHaveProperty("onnxruntime-node");
    });

    test("the table names every method; a prompt that fits a budget is kept whole", async () => {
      const prompt = file("short.txt", "One, two, three, four, five,");
      const { out, code } = await run("--model", model, "--budgets", "300", "--prompt", prompt);
      expect(code).toBe(0);
      for (const method of ["full", "window", "streamingllm", "h2o", "snapkv", "pyramidkv"])
        expect(out).toMatch(new RegExp(`│ ${method} .* right .* 100.0 %`));
      expect(out).toMatch(/weights sha256:[0-9a-f]{64}/);
    });

    test.each([
      ["of one token", "a", "2 to 8192 tokens long"],
      ["beyond the context", "word ".repeat(8300), "2 to 8192 tokens long"],
    ])("a prompt %s is refused before prefill", async (_name, text, allowed) => {
      const { out, err, code } = await run("--model", model, "--prompt", file("odd.txt", text));
      expect({ out, code }).toEqual({ out: "", code: 1 });
      expect(err).toMatch(/^quickstart: [^\n]*\n$/);
      expect(err).toContain(allowed);
    });

    test("a reader that leaves does not make it crash", async () => {
      const child = start("--model", model, "--budgets", "16", "--json", "--prompt", file("left.txt", question));
      const reader = child.stdout.getReader();
      await reader.read();
      await reader.cancel();
      expect({ err: await child.stderr.text(), code: await child.exited }).toEqual({ err: "", code: 0 });
    });

    test("Ctrl-C ends it at once", async () => {
      const child = start("--model", model, "--prompt", file("long.txt", story.repeat(300)));
      await Bun.sleep(2500);
      const sent = performance.now();
      child.kill("SIGINT");
      await child.exited;
      expect(performance.now() - sent).toBeLessThan(2000);
      expect({ signal: child.signalCode, out: await child.stdout.text() }).toEqual({ signal: "SIGINT", out: "" });
    });
  });
}
