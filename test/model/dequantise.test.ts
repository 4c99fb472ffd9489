import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { blocks, dequantise, storedBytes } from "../../src/model/weights/dequantise.ts";
import { halfValue } from "../../src/model/weights/half.ts";
import type { WeightType } from "../../src/model/weights/weights.ts";
import quants from "../fixtures/gguf/quants.json" with { type: "json" };
import { quantise } from "../support/quantise.ts";
import { SEED } from "./helpers.ts";

/** Of each type, whether `naive` restates it, and how far apart its numbers lie over [-4, 4]. */
const plainTypes = ["F32", "F16", "BF16", "Q8_0", "Q4_0", "Q4_1"] as const;
const steps: Readonly<Record<WeightType, number>> = {
  F32: 1e-6,
  F16: 2 ** -8,
  BF16: 2 ** -5,
  Q8_0: 4 / 127,
  Q4_0: 4 / 7,
  Q4_1: 8 / 15,
  Q5_0: 4 / 15,
  Q5_1: 8 / 31,
  Q2_K: 8 / 3,
  Q3_K: 4 / 3,
  Q4_K: 8 / 15,
  Q5_K: 8 / 31,
  Q6_K: 4 / 31,
};

/** One element at a time, by the formulas of ggml's documentation. */
function naive(type: (typeof plainTypes)[number], bytes: Uint8Array<ArrayBuffer>, index: number): number {
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

test.each([...plainTypes])("random blocks of %s decode as the formula says, bit for bit", (type) => {
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

describe("as llama.cpp's own package has it", () => {
  const { made_with, ...golden } = quants;

  test.each(Object.entries(golden))("%s, bit for bit", (name, { bytes, values }) => {
    const type = typed(name);
    const stored = Uint8Array.from(Buffer.from(bytes, "base64"));
    const expected = new Float32Array(Uint8Array.from(Buffer.from(values, "base64")).buffer);
    expect(stored.length).toBe(storedBytes(type, expected.length));
    const out = new Float32Array(expected.length);
    dequantise(type, stored, out);
    expect([...out]).toEqual([...expected]);
  });

  test("every quantised type is there", () => {
    expect(Object.keys(golden).sort()).toEqual(
      Object.keys(steps)
        .filter((name) => name.startsWith("Q"))
        .sort(),
    );
  });
});

test.each(Object.keys(steps).map(typed))("what was quantised to %s comes back within a step", (type) => {
  const values = fc.array(fc.double({ min: -4, max: 4, noNaN: true }), { minLength: 256, maxLength: 256 });
  fc.assert(
    fc.property(values, (wanted) => {
      const bytes = new Uint8Array(quantise(type, wanted));
      expect(bytes.length).toBe(storedBytes(type, 256));
      const out = new Float32Array(256);
      dequantise(type, bytes, out);
      for (const [i, value] of out.entries()) expect(Math.abs(value - (wanted[i] ?? 0))).toBeLessThan(steps[type]);
    }),
    { seed: SEED, numRuns: 60 },
  );
});

test("every half-precision pattern has the value that the language gives it", () => {
  const patterns = Uint16Array.from({ length: 1 << 16 }, (_, bits) => bits);
  expect(Array.from(patterns, halfValue)).toEqual(Array.from(new Float16Array(patterns.buffer)));
});

function typed(name: string): WeightType {
  const [type] = Object.keys(steps).filter((type): type is WeightType => type === name);
  if (type === undefined) throw new Error(`no type ${name}`);
  return type;
}
