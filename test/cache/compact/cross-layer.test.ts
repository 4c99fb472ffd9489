/** Entries that two layers share: each stands for what the paper's formula restores, whatever each head holds. */
import { expect, test } from "bun:test";
import assert from "node:assert/strict";
import fc from "fast-check";
import { type LayerEntries, offsetsOf } from "../../../src/cache/layer.ts";
import { readHead } from "../../../src/cache/read.ts";
import { KvCache } from "../../../src/index.ts";
import { restated } from "../../support/plain-minicache.ts";
import { normal, uniform } from "../../support/random.ts";
import { holds } from "../../support/seed.ts";

const LENGTH = 40;

const trials = fc.record({
  layers: fc.integer({ min: 2, max: 5 }),
  kvHeads: fc.integer({ min: 1, max: 3 }),
  headDim: fc.constantFrom(3, 5, 8),
  held: fc.constantFrom(0, 0.4, 0.9, 1),
  /** How far the upper layers' vectors are from the lower ones': 0 for the same directions. */
  spread: fc.constantFrom(0, 0.1, 3),
  zeros: fc.constantFrom(0, 0, 0.2),
  merge: fc.record({
    interpolation: fc.constantFrom(0, 0.5, 0.6, 1),
    retention: fc.constantFrom(0, 0.05, 0.5, 1),
    recent: fc.constantFrom(1, 6),
  }),
  seed: fc.integer({ min: 1, max: 1e6 }),
});

type Trial = typeof trials extends fc.Arbitrary<infer T> ? T : never;

/** Some tokens of a text in every head; the same token's vectors in different layers differ by `spread`, and in length. */
function cacheOf({ layers, kvHeads, headDim, held, spread, zeros, seed }: Trial): KvCache {
  const next = uniform(seed);
  const common = normal(next, kvHeads * LENGTH * 2 * headDim);
  const made = Array.from({ length: layers }, (): LayerEntries => {
    const kept = Array.from({ length: kvHeads }, () =>
      Array.from({ length: LENGTH }, (_, i) => i).filter(() => next() < held),
    );
    const vectors = (side: 0 | 1) =>
      Float32Array.from(
        kept.flatMap((positions, head) =>
          positions.flatMap((position) => {
            const at = ((head * LENGTH + position) * 2 + side) * headDim;
            const length = next() < zeros ? 0 : 0.5 + next();
            const noise = normal(next, headDim, spread);
            return Array.from(noise, (x, c) => length * ((common[at + c] ?? 0) + x));
          }),
        ),
      );
    return {
      keys: vectors(0),
      values: vectors(1),
      positions: Int32Array.from(kept.flat()),
      offsets: offsetsOf(kept.map(({ length }) => length)),
    };
  });
  const geometry = { layers, kvHeads, headDim };
  return new KvCache({ model: "m", geometry, layers: made, length: LENGTH, logits: normal(next, 1) });
}

const pairsOf = ({ layers }: Trial) =>
  Array.from({ length: Math.floor(layers / 2) }, (_, i) => layers - 2 * i - 2).toReversed();

const near = (found: Float32Array, expected: Float32Array) => {
  assert.equal(found.length, expected.length);
  for (const [i, x] of expected.entries()) assert.ok(Math.abs((found[i] ?? 9) - x) < 1e-5, `${found[i]} for ${x}`);
};

test("every entry is there once, oldest first, and is what its definition says", () =>
  holds(trials, (trial) => {
    const cache = cacheOf(trial);
    if (trial.zeros > 0) return;
    const mini = cache.crossLayer({ pairs: pairsOf(trial), ...trial.merge });
    const { cache: expected } = restated(cache, pairsOf(trial), trial.merge);
    for (let layer = 0; layer < trial.layers; layer++)
      for (let head = 0; head < trial.kvHeads; head++) {
        const [found, whole] = [readHead(mini, layer, head), readHead(expected, layer, head)];
        assert.deepEqual(found.positions, whole.positions);
        near(found.keys, whole.keys);
        near(found.values, whole.values);
      }
  }));

test("entries that have one direction in both layers are as they were", () =>
  holds(trials, (trial) => {
    const cache = cacheOf({ ...trial, spread: 0, zeros: 0 });
    // Angles of 0 are equal but for rounding: only without retention are all of them shared.
    const mini = cache.crossLayer({ pairs: pairsOf(trial), ...trial.merge, retention: 0 });
    for (let layer = 0; layer < trial.layers; layer++)
      for (let head = 0; head < trial.kvHeads; head++) {
        const [found, whole] = [readHead(mini, layer, head), readHead(cache, layer, head)];
        near(found.keys, whole.keys);
        near(found.values, whole.values);
      }
    if (trial.held === 1) expect(mini.bytes).toBeLessThan(cache.bytes);
  }));

test("a vector without a direction stays in full, and keeps no other from being shared", () =>
  holds(trials, (trial) => {
    const cache = cacheOf({ ...trial, held: 1, zeros: 0.2 });
    const mini = cache.crossLayer({ pairs: pairsOf(trial), ...trial.merge });
    const { keys, values, norms } = mini.compact ?? assert.fail("nothing shared");
    for (const numbers of [keys.floats, values.floats, norms?.keys, norms?.values])
      for (const x of numbers ?? assert.fail("no norms"))
        assert.ok(Number.isFinite(x) && (numbers !== norms?.keys || x > 0));
    if (trial.merge.retention === 0)
      for (const lower of pairsOf(trial))
        for (let head = 0; head < trial.kvHeads; head++) {
          const both = [lower, lower + 1].map((layer) => readHead(cache, layer, head));
          const shared = mini.compact?.layers[lower];
          const own = shared?.positions.subarray(shared.offsets[head], shared.offsets[head + 1]) ?? [];
          const isZero = (part: Float32Array, i: number) =>
            part.subarray(i * trial.headDim, (i + 1) * trial.headDim).every((x) => x === 0);
          const expected = Array.from({ length: LENGTH - trial.merge.recent }, (_, i) => i).filter(
            (i) => !both.some((of) => isZero(of.keys, i) || isZero(of.values, i)),
          );
          assert.deepEqual([...own], expected);
        }
  }));

test("what was generated stays in full, in the tail", () =>
  holds(
    trials,
    (trial) => {
      const cache = cacheOf({ ...trial, zeros: 0 });
      const rows = Array.from({ length: 3 }, (_, i) =>
        normal(uniform(i + 1), trial.layers * 2 * trial.kvHeads * trial.headDim),
      );
      for (const row of rows) cache.append(row, row);
      const mini = cache.crossLayer({ pairs: pairsOf(trial), ...trial.merge });
      assert.deepEqual(mini.tail, cache.tail);
      assert.notEqual(mini.tail.data, cache.tail.data);
      assert.deepEqual(mini.lengths, cache.lengths);
      for (let head = 0; head < trial.kvHeads; head++)
        assert.deepEqual(mini.positions(0, head), cache.positions(0, head));
    },
    30,
  ));
