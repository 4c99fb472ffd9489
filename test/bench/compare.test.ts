/** A comparison sees what differs, by just as much as it does, and nothing where nothing does. */
import { describe, expect, test } from "bun:test";
import { tasks } from "../../bench/evaluate/index.ts";
import { type AnswersRow, compare, type LogitsRow, type Row } from "../../bench/precision/compare.ts";
import { Differences } from "../../bench/precision/difference.ts";
import { report } from "../../bench/precision/report.ts";
import { compress, full, type Model, prefill, snapKV, step } from "../../src/index.ts";
import { speaking, words } from "./helpers.ts";

const [first, second] = [await speaking(1), await speaking(2)];
const texts = [1, 2, 3].map((k) => Int32Array.from({ length: 40 }, (_, i) => (i * i * k + 3 * i) % 64));
const method = snapKV({ budget: 12 });
const short = (await tasks(words, 3)).map(({ name, examples }) => ({
  name,
  examples: examples.map((example) => ({ ...example, prompt: example.prompt.slice(-300) })),
}));
const options = { texts, decoded: 6, methods: [full(), method], tasks: short };

const logits = (rows: readonly Row[]) => rows.filter((row): row is LogitsRow => row.kind === "logits");
const answers = (rows: readonly Row[]) => rows.filter((row): row is AnswersRow => row.kind === "answers");

test("a model beside itself differs in nothing at all", async () => {
  const rows = await Array.fromAsync(compare(first, await speaking(1), options));
  for (const { rms, kl, kl99, agreement, kept } of logits(rows))
    expect([rms, kl, kl99, agreement, kept ?? 1]).toEqual([0, 0, 0, 1, 1]);
  for (const { right, flipped, changed } of answers(rows))
    expect([right[0] - right[1], flipped, changed]).toEqual([0, 0, 0]);
});

describe("another model", async () => {
  const rows = await Array.fromAsync(compare(first, second, options));

  test("differs at prefill by what its logits do, position by position", async () => {
    const differences = new Differences(64);
    for (const tokens of texts) {
      const all = async ({ engine }: Model) =>
        (await engine.prefill({ tokens, chunk: 7, lastQueries: 1, allLogits: true })).logits;
      differences.add(await all(first), await all(second));
    }
    const expected = differences.summary();
    const [row] = logits(rows);
    expect(row?.what).toBe("prefill, 3 x 40 tokens");
    expect(row?.positions).toBe(120);
    expect(row?.agreement).toBe(expected.agreement);
    expect(row?.rms).toBeCloseTo(expected.rms, 3);
    expect(row?.kl).toBeCloseTo(expected.kl, 3);
    expect(expected.rms).toBeGreaterThan(0.1);
  });

  test("differs in decoding on a compressed cache as two users would see it, each with its own selection", async () => {
    const differences = new Differences(64);
    for (const tokens of texts) {
      const decode = async (model: Model) => {
        using context = await prefill(model, tokens.subarray(0, 34), { observe: [method] });
        using cache = await compress(context, method);
        const all: number[] = [];
        for (const token of tokens.subarray(34)) all.push(...(await step(model, cache, token)));
        return Float32Array.from(all);
      };
      differences.add(await decode(first), await decode(second));
    }
    const { kept, kind: _kind, what, ...difference } = logits(rows)[2] ?? {};
    expect(what).toBe("decode, 3 x 6 tokens after 34, snapkv 12");
    expect(difference).toEqual(differences.summary());
    // 8 of 12 entries are the window, which both keep; beyond it two random models hardly agree.
    expect(kept).toBeGreaterThanOrEqual(8 / 12);
    expect(kept).toBeLessThan(1);
  });

  test("answers otherwise, and the table says so", async () => {
    for (const row of answers(rows)) {
      expect(row.examples).toBe(3);
      expect(row.changed).toBeGreaterThan(0);
      expect(row.flipped).toBeGreaterThanOrEqual(Math.abs(row.right[0] - row.right[1]));
    }
    const text = report(rows, await first.provenance(), await second.provenance());
    for (const { task } of answers(rows)) expect(text).toContain(task);
    expect(text).not.toMatch(/NaN|Infinity|undefined/);
  });
});
