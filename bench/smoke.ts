/**
 * Every benchmark's code at tiny sizes on a tiny model: rows come out, their numbers are finite, tables are written, and who is
 * absent is said to be. No time is looked at. `bun run bench:smoke`, and test/bench/smoke.test.ts.
 */
import { strict as assert } from "node:assert";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { full, loadModel, type Model, pyramidKV, type Tokenizer } from "../src/index.ts";
import { accuracies } from "./evaluate/accuracy.ts";
import { stretches, tasks } from "./evaluate/index.ts";
import { INSTALLED, type Installations, ourCommand } from "./peers/installed.ts";
import { writeTable } from "./peers/report.ts";
import { type Outcome, run } from "./peers/run.ts";
import type { Sizes } from "./peers/sizes.ts";
import { amountOf, compare, type Row } from "./precision/compare.ts";
import { report } from "./precision/report.ts";

const root = join(import.meta.dir, "..");
const MODEL = join(root, "test/fixtures/tiny/llama");

const TINY: Sizes = {
  budget: 16,
  steps: 2,
  small: 12,
  sweep: { length: 40, budgets: [12, 16] },
  memory: 64,
  long: 48,
  short: 32,
  kvpressFull: 24,
  limit: { rows: 8, square: 64, tries: 2 },
};

/** What can be tried, by name. */
export const smokes: Readonly<Record<string, () => Promise<void>>> = {
  "bench, no peer installed": async () => {
    const missing = { needs: ["/nowhere/peer"], command: ["/nowhere/peer"] };
    const { rows, text } = await peers({ q4_0: missing, q4_1: missing, kvpress: missing });
    for (const title of ["llama.cpp Q4_0", "llama.cpp Q4_1", "kvpress"])
      assert.ok(text.includes(`- ${title}: absent (/nowhere/peer is missing)`), text);
    for (const { what, peer } of rows) assert.ok(peer === "" || peer.endsWith(": absent"), `${what}: ${peer}`);
    await written(text);
  },
  "bench, with every peer (ours in their place)": async () => {
    const standIn = { needs: [MODEL], command: ourCommand(MODEL) };
    const { rows, text } = await peers({ q4_0: standIn, q4_1: standIn, kvpress: standIn });
    assert.ok(!text.replace(/- pyramidkv fast: absent .*/, "").includes("absent"), text); // the tiny model is not quantised
    for (const { what, peer, figure } of rows)
      if (peer !== "") assert.match(figure, /^\d+\.\d\dx wall, \d+\.\d\dx CPU$/, what);
  },
  "bench, a peer that does not start": async () => {
    const broken = { needs: [MODEL], command: [process.execPath, "-e", "throw new Error('no such library')"] };
    const { text } = await peers({ ...INSTALLED, kvpress: broken }, ["small"], ["q4_0", "q4_1"]);
    assert.match(text, /- kvpress: absent \(.*no such library/);
    assert.ok(text.includes("- llama.cpp Q4_0: absent (left out)"), text);
  },
  "bench:quick": async () => {
    const out = await script("throughput.ts", "--lengths", "24,40", "--budget", "16", "--repeat", "1");
    for (const row of [/24 +│ full/, /24 +│ snapkv 16/, /40 +│ pyramidkv 16/, /40 +│ h2o 16/]) assert.match(out, row);
  },
  "bench/batch.ts": async () => {
    const sizes = ["--length", "40", "--long", "96", "--budgets", "12,16", "--steps", "1"];
    const out = await script("batch.ts", ...sizes);
    for (const row of [/forks, budget 12 +│ 32/, /6 methods x 2 budgets/, /one head 48, others 3/])
      assert.match(out, row);
  },
  "bench:precision, a model against itself": async () => {
    using reference = await speaking();
    using other = await speaking();
    const rows = await compared(reference, other);
    assert.equal(rows.length, 3 + 2 * 4);
    for (const row of rows) {
      if (row.kind === "logits")
        assert.deepEqual([row.rms, row.kl, row.kl99, row.agreement, row.kept ?? 1], [0, 0, 0, 1, 1], row.what);
      else assert.deepEqual([row.right[0], row.flipped, row.changed], [row.right[1], 0, 0], row.task);
    }
    const text = report(rows, await reference.provenance(), await other.provenance());
    assertFinite(text);
    for (const what of ["prefill, 2 x 40 tokens", "2 x 4 tokens after 36, full", "pyramidkv 16", "few-shot"])
      assert.ok(text.includes(what), text);
  },
  "bench/accuracy.ts": async () => {
    using model = await speaking();
    const [task] = await tasks(words, 2);
    for (const lastOnCache of [true, false]) {
      const rows = await accuracies(model, task?.examples ?? [], [12, 16], { lastOnCache, maxNewTokens: 3 });
      assert.equal(rows.length, 1 + 6 * 2);
      for (const { method, of, right } of rows) assert.deepEqual([of, right], [2, 0], method); // it only speaks in hashes
    }
  },
};

async function peers(
  installations: Installations,
  parts = ["memory", "small", "24", "sweep", "48"],
  without: readonly string[] = [],
): Promise<Outcome> {
  const logged: string[] = [];
  const options = { parts, sizes: TINY, repeat: 1, threads: 1, patience: 0, without, model: MODEL, installations };
  const outcome = await run({ ...options, log: (line) => logged.push(line) });
  assertFinite(outcome.text);
  assertFinite(logged.join("\n"));
  const [limit, ...rows] = outcome.rows;
  assert.match(limit?.ours ?? "", /GFLOP\/s .* GB\/s/);
  for (const { what, limit: share } of rows)
    if (/^(prefill|decode)\b/.test(what) && !what.startsWith("decode step")) assert.match(share, /^\d+ % \(/, what);
  assert.ok(logged.length >= parts.length, "a table after each part");
  return outcome;
}

/** The table stands between a file's marks, and the rest of the file is as it was. */
async function written(text: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "pyramidkv-smoke-"));
  try {
    const file = join(folder, "README.md");
    const before = await Bun.file(join(import.meta.dir, "README.md")).text();
    await Bun.write(file, before);
    await writeTable(text, file);
    const parts = (content: string) => content.split(/(?<=<!-- table -->\n)|(?=\n<!-- \/table -->)/);
    const after = parts(await Bun.file(file).text());
    assert.deepEqual(after, [parts(before).at(0), text, parts(before).at(-1)]);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** A benchmark in a process of its own, on the tiny model. */
async function script(name: string, ...args: readonly string[]): Promise<string> {
  const command = [process.execPath, join(import.meta.dir, name), "--model", MODEL, ...args];
  const child = Bun.spawn(command, { cwd: root, stdout: "pipe", stderr: "pipe" });
  const [out, err] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  assert.deepEqual({ code: await child.exited, err }, { code: 0, err: "" });
  assertFinite(out);
  return out;
}

const assertFinite = (text: string) => assert.doesNotMatch(text, /\b(NaN|Infinity|undefined|null ms)\b/);

/** A token is a word; its text is its number. So that tasks have prompts on a model without a tokenizer. */
const words: Tokenizer = {
  encode: (text) => Int32Array.from(text.match(/\S+/g) ?? [], (word) => Number(Bun.hash.crc32(word)) % 160),
  decode: (tokens) => Array.from(tokens, (token) => ` w${token}`).join(""),
  chat: () => "",
};

async function speaking(): Promise<Model> {
  return { ...(await loadModel(MODEL, { threads: 1, progress: false })), tokenizer: words };
}

async function compared(reference: Model, other: Model): Promise<readonly Row[]> {
  let done = 0;
  const options = {
    texts: stretches(words, 2, 40),
    decoded: 4,
    methods: [full(), pyramidKV({ budget: 16 })],
    tasks: (await tasks(words, 1)).map(({ name, examples }) => ({ name, examples: examples.map(shortened) })),
    onProgress: (amount: number) => {
      done += amount;
    },
  };
  const rows = await Array.fromAsync(compare(reference, other, options));
  assert.equal(done, amountOf(options));
  return rows;
}

const shortened = <E extends { readonly prompt: string }>(example: E): E => ({
  ...example,
  prompt: example.prompt.slice(-400),
});

if (import.meta.main) {
  for (const [name, smoke] of Object.entries(smokes)) {
    await smoke();
    console.log(`works: ${name}`);
  }
}
