import { describe, test } from "bun:test";
import assert from "node:assert/strict";
import fc from "fast-check";
import { referenceKernels, type Tensor } from "../../kernels/index.ts";
import { adaptiveHeads, chain, define, lastTokens, meanOverGroup, segments, windowAttention } from "../../src/index.ts";
import type { LayerView } from "../../src/scoring/score.ts";
import { layersOf, normals } from "../support/arbitraries.ts";
import { faultOf } from "../support/fault.ts";
import { assertMethodLaw, methodLaws } from "../support/method-laws.ts";
import { range, sum } from "../support/numbers.ts";
import { holds } from "../support/seed.ts";

const shape = { seed: 4, layers: 1, kvHeads: 2, group: 2, length: 30, budget: 12 };
const [layer = assert.fail()] = await layersOf(shape, referenceKernels());

/** A prompt of these tokens, all of them candidates but the first. */
const saying = (...said: readonly string[]): LayerView<Tensor> => ({
  ...layer,
  length: said.length,
  positions: Int32Array.from({ length: 2 * said.length }, (_, i) => i % said.length),
  prompt: { tokens: Int32Array.from(said.keys()), text: (token) => said[token] ?? "", encode: null },
  candidates: { from: 1, to: said.length },
});

/** Which candidates share their score: the first of each segment. */
async function starts(boundaries: Parameters<typeof segments>[0], view: LayerView<Tensor>): Promise<number[]> {
  const columns = view.candidates.to - view.candidates.from;
  const { data } = await segments(boundaries)(normals(1, 2, columns), view);
  return range(0, columns)
    .filter((i) => i === 0 || data[i] !== data[i - 1])
    .map((i) => i + view.candidates.from);
}

describe("segments", () => {
  test("give every candidate the mean of its own, whichever positions its head holds", () =>
    holds(
      fc.record({
        rows: fc.constantFrom(2, 4),
        from: fc.integer({ min: 0, max: 5 }),
        to: fc.integer({ min: 6, max: 30 }),
        ends: fc.uniqueArray(fc.nat(70)),
        gaps: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 60, maxLength: 60 }),
        seed: fc.nat(1000),
      }),
      async ({ rows, from, to, ends, gaps, seed }) => {
        const held = range(0, 60).map((i) => sum(gaps.slice(i < 30 ? 0 : 30, i)));
        const view = { ...layer, positions: Int32Array.from(held), candidates: { from, to } };
        const scores: Tensor = normals(seed, rows, to - from);
        const { data, dims } = await segments(ends)(scores, view);
        assert.deepEqual(dims, scores.dims);
        for (const [i, score] of data.entries()) {
          const row = Math.floor(i / (to - from));
          const position = (k: number) =>
            held[(rows === 2 ? row : Math.floor(row / 2)) * 30 + from + (k % (to - from))] ?? 0;
          // Before how many ends a position stands tells its segment.
          const segment = (k: number) => ends.filter((end) => end < position(k)).length;
          const own = range(row * (to - from), (row + 1) * (to - from)).filter((k) => segment(k) === segment(i));
          assert.ok(Math.abs(score - sum(own.map((k) => scores.data[k] ?? 0)) / own.length) < 1e-5);
        }
      },
    ));

  test("end where sentences do: at full stops that end a word, with the quotes after them, not within a number", async () => {
    const view = saying(
      "It",
      " is",
      ".",
      " Pi",
      " is",
      " 3",
      ".",
      "1",
      "4",
      ".",
      ' "',
      "So",
      "?",
      '"',
      " Yes",
      "!\n",
      "No",
    );
    assert.deepEqual(await starts("sentences", view), [1, 3, 10, 14, 16]);
  });

  test("end where lines do", async () => {
    const view = saying("a", "b.", " c", "\n", "d", "\n\n", "e", " f.\ng", "h");
    assert.deepEqual(await starts("lines", view), [1, 4, 6, 8]);
  });

  test("end at given positions", async () => {
    const view = saying(..."abcdefgh");
    assert.deepEqual(await starts([5, 2], view), [1, 3, 6]);
    assert.deepEqual(await starts([], view), [1]);
  });

  test("must be known, and text is needed to find them", async () => {
    for (const wrong of ["words", [1.5], [-1], ["a"], null, 7]) {
      const fault = await faultOf(() => Reflect.apply(segments, null, [wrong]));
      assert.deepEqual([fault.code, fault.path], ["invalid_option", ["segments", "boundaries"]]);
    }
    const mute = { ...saying("a", "b"), prompt: { tokens: Int32Array.of(0, 1), text: null, encode: null } };
    assert.equal((await faultOf(() => starts("sentences", mute))).code, "tokenizer_missing");
    assert.equal((await faultOf(() => starts("lines", { ...mute, prompt: null }))).code, "observation_missing");
    assert.deepEqual(await starts([0], { ...mute, prompt: null }), [1]);
  });
});

for (const boundaries of ["sentences", "lines", [3, 9, 17]] as const)
  describe(`a method that chooses by ${boundaries} obeys the laws:`, () => {
    const factory = define("segmented", { options: {} }, () => ({
      keep: lastTokens(4),
      score: chain(windowAttention(4), meanOverGroup, segments(boundaries)),
      allocate: adaptiveHeads(),
    }));
    for (const law of methodLaws) test(law, () => assertMethodLaw(law, factory));
  });
