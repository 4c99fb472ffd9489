/** Random weights are what their blocks say, whoever asks for which of them first, and a network's whole set is there. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { randomMatrix } from "../../../bench/gpu/random-matrix.ts";
import { randomWeights } from "../../../bench/gpu/random-weights.ts";
import { scales } from "../../../bench/gpu/scale.ts";
import { decoderTensors } from "../../../src/model/families/decoder.ts";
import { faultOf } from "../../support/fault.ts";
import { holds } from "../../support/seed.ts";

const { config } = scales.tiny;
const matrices = fc.record({
  rows: fc.integer({ min: 1, max: 20 }),
  blocks: fc.integer({ min: 1, max: 5 }),
  seed: fc.integer({ min: 0, max: 2 ** 31 }),
});
const whole = (rows: number) => Array.from({ length: rows }, (_, row) => row);

/** A matrix's blocks: q of every number, and the scale of every 32. */
function blocksOf({ rows, columns, quantised }: ReturnType<typeof randomMatrix>) {
  const packed = new Uint8Array((rows * columns) / 2);
  const own = new Float32Array((rows * columns) / 32);
  quantised.quants(packed);
  quantised.scales(own);
  return { quants: [...packed].flatMap((byte) => [byte & 15, byte >> 4]), scales: own };
}

describe("a random matrix", () => {
  test("has the numbers that its blocks stand for", () =>
    holds(matrices, ({ rows, blocks, seed }) => {
      const matrix = randomMatrix(rows, 32 * blocks, seed);
      const { quants, scales: own } = blocksOf(matrix);
      const expected = quants.map((q, i) => (q - 8) * (own[Math.floor(i / 32)] ?? 0));
      expect([...matrix.readRows(whole(rows))]).toEqual(expected.map(Math.fround));
    }));

  test("is Q4_0: q from 1 to 15, and scales that fp16 holds", () =>
    holds(matrices, ({ rows, blocks, seed }) => {
      const { quants, scales: own } = blocksOf(randomMatrix(rows, 32 * blocks, seed));
      expect(quants.every((q) => q >= 1 && q <= 15)).toBe(true);
      expect(own.every((scale) => scale > 0 && scale === Math.f16round(scale))).toBe(true);
    }));

  test("gives each row alone as among all, in any order", () =>
    holds(fc.tuple(matrices, fc.array(fc.nat(19), { maxLength: 6 })), ([{ rows, blocks, seed }, some]) => {
      const wanted = some.map((row) => row % rows);
      const matrix = randomMatrix(rows, 32 * blocks, seed);
      const all = matrix.readRows(whole(rows));
      const width = 32 * blocks;
      expect([...matrix.readRows(wanted)]).toEqual(
        wanted.flatMap((row) => [...all.subarray(row * width, (row + 1) * width)]),
      );
    }));

  test("is its seed's, and no two rows or seeds are alike", () =>
    holds(matrices, ({ blocks, seed }) => {
      const rowOf = (of: number, row: number) =>
        randomMatrix(9, 32 * blocks, of)
          .readRows([row])
          .join();
      expect(rowOf(seed, 3)).toBe(rowOf(seed, 3));
      const others = [rowOf(seed, 3), rowOf(seed, 4), rowOf(seed + 1, 3), rowOf(seed + 1, 4), rowOf(seed + 2, 2)];
      expect(new Set(others).size).toBe(others.length);
    }));

  test("makes normal numbers of normal numbers: no average, and a spread of one", () => {
    const [rows, columns] = [400, 1024];
    const numbers = randomMatrix(rows, columns, 5).readRows(whole(rows));
    const sums = whole(rows).map((row) =>
      numbers.subarray(row * columns, (row + 1) * columns).reduce((sum, x, i) => sum + x * (i % 3 === 0 ? -1 : 1), 0),
    );
    const mean = sums.reduce((total, sum) => total + sum, 0) / rows;
    const spread = Math.sqrt(sums.reduce((total, sum) => total + (sum - mean) ** 2, 0) / rows);
    expect(Math.abs(mean)).toBeLessThan(4 / Math.sqrt(rows));
    expect(Math.abs(spread - 1)).toBeLessThan(0.15);
  });
});

describe("a network's random weights", () => {
  const weights = randomWeights(config, 1);

  test("are all that the network has, in its shapes", () => {
    expect(weights.tensors.map(({ name, shape }) => ({ name, shape }))).toEqual([...decoderTensors(config)]);
    for (const { name, shape, type } of weights.tensors) {
      const numbers = weights.read(name);
      expect(numbers.length).toBe(shape.reduce((product, size) => product * size, 1));
      expect(numbers.every(Number.isFinite)).toBe(true);
      expect([type, weights.quantised(name) === null]).toEqual(shape.length === 2 ? ["Q4_0", false] : ["F32", true]);
    }
  });

  test("are the same numbers however they are stored, and others for another seed", () => {
    const name = "model.layers.1.mlp.down_proj.weight";
    const plain = randomWeights(config, 1, "F16");
    expect([plain.info(name).type, plain.quantised(name)]).toEqual(["F16", null]);
    expect(plain.read(name)).toEqual(weights.read(name));
    expect(plain.readRows(name, [5, 2])).toEqual(weights.readRows(name, [5, 2]));
    expect(randomWeights(config, 2).read(name)).not.toEqual(weights.read(name));
    expect(weights.read("model.layers.0.mlp.down_proj.weight")).not.toEqual(weights.read(name));
  });

  test("say which tensor is not there", async () => {
    const fault = await faultOf(async () => weights.read("model.layers.9.mlp.down_proj.weight"));
    expect(fault).toMatchObject({ code: "missing_tensor", found: "model.layers.9.mlp.down_proj.weight" });
  });
});
