/** Blocks of compact entries: how far they are from what they stand for, and that they are what KIVI's formula gives. */
import { describe, expect, test } from "bun:test";
import assert from "node:assert/strict";
import fc from "fast-check";
import {
  type Block,
  type BlockLayout,
  channelGroup,
  codeBytes,
  decode,
  encode,
  floatCount,
} from "../../../src/cache/compact/block.ts";
import { blocksAt } from "../../../src/cache/compact/writer.ts";
import golden from "../../fixtures/kivi/kivi.json" with { type: "json" };
import { normal, uniform } from "../../support/random.ts";
import { holds } from "../../support/seed.ts";

const layouts = fc.record({
  tokens: fc.constant(32),
  width: fc.constantFrom(1, 5, 8, 32, 38, 64, 80),
  bits: fc.constantFrom(8 as const, 4 as const, 2 as const),
  groups: fc.constantFrom("perChannel" as const, "perToken" as const),
});

const stored = (layout: BlockLayout, numbers: Float32Array): Block => {
  const block = { codes: new Uint8Array(codeBytes(layout)), floats: new Float32Array(floatCount(layout)) };
  encode(layout, numbers, block);
  return block;
};

/** The scale of the group that a number of the block is in. */
function scaleOf({ width, groups }: BlockLayout, { floats }: Block, at: number): number {
  const token = Math.floor(at / width);
  const perToken = width / channelGroup(width);
  const group =
    groups === "perChannel" ? at % width : token * perToken + Math.floor((at % width) / channelGroup(width));
  return floats[group] ?? Number.NaN;
}

const numbersOf = (layout: BlockLayout, seed: number, size: number) =>
  normal(uniform(seed), layout.tokens * layout.width, size).map((x, i) => x * (1 + (i % layout.width) ** 2));

describe("a block of codes", () => {
  const blocks = fc.record({
    layout: layouts,
    seed: fc.integer({ min: 1, max: 1e6 }),
    size: fc.constantFrom(1e-20, 1e-3, 1, 1e4),
  });

  test("is nowhere further than half a scale from its numbers", () =>
    holds(blocks, ({ layout, seed, size }) => {
      const numbers = numbersOf(layout, seed, size);
      const block = stored(layout, numbers);
      const rounding = 2 ** -22 * numbers.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
      for (const [at, number] of decode(layout, block).entries()) {
        const off = Math.abs(number - (numbers[at] ?? 0));
        assert.ok(off <= scaleOf(layout, block, at) / 2 + rounding, `number ${at} is off by ${off}`);
      }
    }));

  test("holds what it stands for: encoded again it is the same block", () =>
    holds(blocks, ({ layout, seed }) => {
      const whole = numbersOf(layout, seed, 1).map(Math.round);
      const block = stored(layout, whole);
      const numbers = decode(layout, block);
      const again = decode(layout, stored(layout, numbers));
      for (const [at, number] of again.entries())
        assert.ok(Math.abs(number - (numbers[at] ?? 0)) <= 1e-5 * (1 + Math.abs(number)), `number ${at}`);
    }));

  test("of equal numbers is those numbers", () =>
    holds(fc.record({ layout: layouts, x: fc.float({ noNaN: true, noDefaultInfinity: true }) }), ({ layout, x }) => {
      const numbers = new Float32Array(layout.tokens * layout.width).fill(x);
      expect(decode(layout, stored(layout, numbers))).toEqual(numbers.map((y) => y + 0));
    }));

  test("in fp32 is its numbers to the bit", () =>
    holds(blocks, ({ layout, seed, size }) => {
      const numbers = numbersOf(layout, seed, size);
      const fp32 = { ...layout, bits: null };
      expect(decode(fp32, stored(fp32, numbers))).toEqual(numbers);
      expect(codeBytes(fp32)).toBe(0);
    }));
});

describe("KIVI's formula in numpy", () => {
  const numbers = Float32Array.from(golden.numbers64, (x) => x / 64);
  for (const bits of [8, 4, 2] as const) {
    for (const groups of ["perChannel", "perToken"] as const) {
      test(`gives the codes, scales and offsets of ${bits} bits ${groups}`, () => {
        const expected = golden.sides[`${bits} ${groups}`];
        const { codes, floats } = stored({ tokens: 32, width: 64, bits, groups }, numbers);
        // Slabs: the first code of every byte, then the second of every byte ...
        const unpacked = Array.from({ length: 8 / bits }, (_, slab) =>
          [...codes].map((byte) => Math.floor(byte / 2 ** (slab * bits)) % 2 ** bits),
        );
        expect(unpacked.flat()).toEqual([...Buffer.from(expected.codes, "hex")]);
        expect([...floats]).toEqual([...expected.scales.map(Math.fround), ...expected.lows64.map((x) => x / 64)]);
      });
    }
  }
});

test("blocks lie one after the other", () => {
  const layout = { tokens: 32, width: 8, bits: 4, groups: "perChannel" } as const;
  const all = { codes: Uint8Array.from({ length: 3 * codeBytes(layout) }, (_, i) => i), floats: new Float32Array(48) };
  expect(blocksAt(layout, all, 1, 2).codes).toEqual(all.codes.subarray(128));
  expect(blocksAt(layout, all, 2, 1).floats.byteOffset).toBe(32 * 4);
});
