import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { blocks, dequantise, halfValue, storedBytes } from "../../src/model/weights/dequantise.ts";
import type { WeightType } from "../../src/model/weights/weights.ts";
import { quantise } from "../support/quantise.ts";
import { SEED } from "./helpers.ts";

const types: readonly WeightType[] = ["F32", "F16", "BF16", "Q8_0", "Q4_0", "Q4_1"];

/** One element at a time, by the formulas of ggml's documentation. */
function naive(type: WeightType, bytes: Uint8Array<ArrayBuffer>, index: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { elements, bytes: size } = blocks[type];
  const at = Math.floor(index / elements) * size;
  const inBlock = index % elements;
  const nibble = (start: number) =>
    inBlock < 16 ? view.getUint8(at + start + inBlock) % 16 : Math.floor(view.getUint8(at + start + inBlock - 16) / 16);
  switch (type) {
    case "F32":
      return view.getFloat32(at, true);
    case "F16":
      return view.getFloat16(at, true);
    case "BF16": {
      const wide = new DataView(new ArrayBuffer(4));
      wide.setUint16(0, view.getUint16(at, true));
      return wide.getFloat32(0);
    }
    case "Q8_0":
      return Math.fround(view.getInt8(at + 2 + inBlock) * view.getFloat16(at, true));
    case "Q4_0":
      return Math.fround((nibble(2) - 8) * view.getFloat16(at, true));
    case "Q4_1":
      return Math.fround(Math.fround(nibble(4) * view.getFloat16(at, true)) + view.getFloat16(at + 2, true));
  }
}

describe.each([...types])("%s", (type) => {
  test("random blocks decode as the formula says, bit for bit", () => {
    const size = blocks[type].bytes;
    const stored = fc
      .array(fc.uint8Array({ minLength: size, maxLength: size }), { minLength: 1, maxLength: 6 })
      .map((parts) => Uint8Array.from(parts.flatMap((part) => [...part])));
    fc.assert(
      fc.property(stored, (bytes) => {
        const out = new Float32Array((bytes.length / size) * blocks[type].elements);
        dequantise(type, bytes, out);
        for (const [i, value] of out.entries()) expect(value).toBe(naive(type, bytes, i));
      }),
      { seed: SEED, numRuns: 300 },
    );
  });

  test("what was quantised comes back within half a step", () => {
    const values = fc.array(fc.double({ min: -4, max: 4, noNaN: true }), { minLength: 64, maxLength: 64 });
    fc.assert(
      fc.property(values, (wanted) => {
        const bytes = new Uint8Array(quantise(type, wanted));
        expect(bytes.length).toBe(storedBytes(type, 64));
        const out = new Float32Array(64);
        dequantise(type, bytes, out);
        // 8/15 is the widest step of four bits over [-4, 4].
        for (const [i, value] of out.entries()) expect(Math.abs(value - (wanted[i] ?? 0))).toBeLessThan(0.3);
      }),
      { seed: SEED, numRuns: 100 },
    );
  });
});

test("every half-precision pattern has the value that the language gives it", () => {
  const patterns = Uint16Array.from({ length: 1 << 16 }, (_, bits) => bits);
  expect(Array.from(patterns, halfValue)).toEqual(Array.from(new Float16Array(patterns.buffer)));
});
