/** ThinK's choice against its formula, spelled out: the Frobenius norm of a channel's products of every query and key. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { keyChannels } from "../../src/scoring/key-channels.ts";
import { normal, uniform } from "../support/random.ts";
import { holds } from "../support/seed.ts";

const trials = fc.record({
  kvHeads: fc.integer({ min: 1, max: 3 }),
  group: fc.integer({ min: 1, max: 3 }),
  headDim: fc.constantFrom(1, 2, 8, 13),
  observed: fc.integer({ min: 1, max: 6 }),
  counts: fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 3, maxLength: 3 }),
  recent: fc.integer({ min: 0, max: 4 }),
  keep: fc.double({ min: 0.01, max: 1, noNaN: true }),
  window: fc.integer({ min: 1, max: 8 }),
  seed: fc.integer({ min: 1, max: 1e6 }),
});

test("the channels that matter most to the last queries stay", () =>
  holds(trials, ({ kvHeads, group, headDim, observed, counts, recent, keep, window, seed }) => {
    const next = uniform(seed);
    const heads = kvHeads * group;
    const queries = { data: normal(next, heads * observed * headDim), dims: [heads, observed, headDim] };
    const offsets = [0];
    for (let h = 0; h < kvHeads; h++) offsets.push((offsets[h] ?? 0) + (counts[h] ?? 0));
    const keys = normal(next, (offsets.at(-1) ?? 0) * headDim);
    const chosen = keyChannels(queries, { keys, offsets: Int32Array.from(offsets) }, recent, { keep, window });
    const width = Math.max(1, Math.round(keep * headDim));
    expect(chosen.length).toBe(kvHeads * width);
    for (let h = 0; h < kvHeads; h++) {
      const norms = Array.from({ length: headDim }, (_, c) => {
        let sum = 0;
        for (let head = h * group; head < (h + 1) * group; head++)
          for (let i = Math.max(0, observed - window); i < observed; i++)
            for (let j = offsets[h] ?? 0; j < (offsets[h + 1] ?? 0) - recent; j++) {
              const q = queries.data[(head * observed + i) * headDim + c] ?? 0;
              sum += (q * (keys[j * headDim + c] ?? 0)) ** 2;
            }
        return Math.sqrt(sum);
      });
      const own = [...chosen.subarray(h * width, (h + 1) * width)];
      expect(own).toEqual([...new Set(own)].sort((a, b) => a - b));
      const least = Math.min(...own.map((c) => norms[c] ?? 0));
      for (const [c, norm] of norms.entries())
        if (!own.includes(c)) expect(norm).toBeLessThanOrEqual(least * (1 + 1e-9));
    }
  }));

test("of equal channels the lower stay", () => {
  const queries = { data: new Float32Array(8).fill(1), dims: [1, 2, 4] };
  const entries = { keys: Float32Array.of(1, 2, 1, 1), offsets: Int32Array.of(0, 1) };
  expect([...keyChannels(queries, entries, 0, { keep: 0.5, window: 2 })]).toEqual([0, 1]);
});
