/** From logits to tokens on the GPU, as on the CPU. */
import { afterAll, describe, test } from "bun:test";
import assert from "node:assert/strict";
import fc from "fast-check";
import { argmax } from "../../../kernels/argmax/reference.ts";
import { gpuArrays } from "../../../kernels/gpu/arrays.ts";
import { networkKernels } from "../../../kernels/network.ts";
import { chances } from "../../../kernels/sample/reference.ts";
import type { Tensor } from "../../../kernels/tensor.ts";
import { row } from "../../../kernels/tensor.ts";
import { drawsFor, type SamplingOptions, sampled } from "../../../src/generate/sampling.ts";
import { normals, ties } from "../../support/arbitraries.ts";
import { uniform } from "../../support/random.ts";
import { holds } from "../../support/seed.ts";
import { softwareGpu } from "../../support/software-gpu.ts";

const gpu = await softwareGpu();
const arrays = gpuArrays(gpu);
const kernels = networkKernels(gpu);
afterAll(() => gpu[Symbol.dispose]());

const upTo = (most: number, least = 0) => fc.integer({ min: least, max: most });

/** Logits with ties, and numbers among them that are none. */
const logits = fc
  .record({
    seed: upTo(1e6),
    rows: upTo(4),
    columns: fc.oneof(upTo(40), upTo(3000)),
    levels: fc.constantFrom(2, 30, 1e6),
    odd: fc.constantFrom(0, 0.3, 1),
    infinite: fc.constantFrom(0, 0, 3),
  })
  .map(({ seed, rows, columns, levels, odd, infinite }): Tensor => {
    const next = uniform(seed);
    const numbers = [Number.NaN, Number.NEGATIVE_INFINITY, -0, 0, -3e38, 1e-40];
    const data = Float32Array.from({ length: rows * columns }, () =>
      next() < odd ? (numbers[Math.floor(6 * next())] ?? 0) : (20 * Math.floor(next() * levels)) / levels - 10,
    );
    for (let i = 0; i < infinite; i++) data[Math.floor(next() * data.length)] = Number.POSITIVE_INFINITY;
    return { data, dims: [rows, columns] };
  });

async function tokensOf(count: number, record: (out: ReturnType<typeof arrays.empty>) => void): Promise<Uint32Array> {
  using out = arrays.empty("tokens", count);
  record(out);
  return new Uint32Array(await gpu.read(out.block));
}

const drawn = async (from: Tensor, draws: Float32Array<ArrayBuffer>, options: Omit<SamplingOptions, "seed">) => {
  using input = arrays.of(from, "logits");
  using shares = arrays.numbers(draws, "draws");
  return tokensOf(draws.length, (out) => kernels.sample(input, shares, options, out));
};

describe("a token", () => {
  test("that is the most likely is the first of them, whatever else is no number", () =>
    holds(logits, async (from) => {
      using input = arrays.of(from, "logits");
      const found = await tokensOf(from.dims[0] ?? 0, (out) => kernels.argmax(input, out));
      assert.deepEqual([...found], argmax(from));
      const draws = new Float32Array(found.length);
      assert.deepEqual(await drawn(from, draws, { temperature: 0, topK: 5, topP: 0.5 }), found);
    }));

  test("that is drawn is the one at the draw's share of what the limits leave", () =>
    holds(
      fc.record({
        from: logits,
        seed: upTo(1e6),
        temperature: fc.constantFrom(0.3, 1, 4),
        topK: fc.oneof(fc.constantFrom(0, 1), upTo(60), upTo(3000)),
        topP: fc.oneof(fc.constant(1), fc.double({ min: 0.001, max: 0.999, noNaN: true })),
      }),
      async ({ from, seed, ...options }) => {
        const [rows = 0] = from.dims;
        const draws = Float32Array.from({ length: rows }, uniform(seed));
        const found = await drawn(from, draws, options);
        for (const [s, token] of found.entries()) {
          const all = chances(row(from, s), options);
          const own = all.find((chance) => chance.token === token);
          const draw = draws[s] ?? 0;
          if (all.length === 0) assert.equal(token, 0);
          else
            assert.ok(own !== undefined && own.from <= draw + SLACK && draw - SLACK <= own.to, `${token} at ${draw}`);
        }
      },
      150,
    ));

  test("of equal ones is the one at the draw, to its last digits", async () => {
    const places = [0, 1, 255, 256, 1000, 2049, 2999, 3000];
    const from = { data: new Float32Array(places.length * 3001), dims: [places.length, 3001] };
    const draws = Float32Array.from(places, (place) => (place + 0.01) / 3001);
    assert.deepEqual([...(await drawn(from, draws, { temperature: 1, topK: 0, topP: 1 }))], places);
  });

  test("that is drawn from a large vocabulary is so, too", async () => {
    const from = normals(7, 2, 70_001);
    const options = { temperature: 0.7, topK: 5000, topP: 0.95 };
    for (const draw of [0, 0.31, 0.999]) {
      const found = await drawn(from, Float32Array.of(draw, draw), options);
      for (const [s, token] of found.entries()) {
        const own = chances(row(from, s), options).find((chance) => chance.token === token);
        assert.ok(own !== undefined && own.from <= draw + SLACK && draw - SLACK <= own.to);
      }
    }
  });

  test("is drawn on the CPU by the same chances", () =>
    holds(
      fc.record({
        seed: upTo(1e6),
        columns: upTo(12, 1),
        temperature: fc.constantFrom(0.5, 1, 2),
        topK: upTo(8),
        topP: fc.double({ min: 0.1, max: 1, noNaN: true }),
      }),
      ({ seed, columns, ...options }) => {
        const one = ties(seed, 20, columns).data.map((x) => 5 * x);
        const all = chances(one, options);
        const draw = drawsFor({ ...options, seed });
        const counts = new Float64Array(columns);
        for (let i = 0; i < DRAWS; i++) {
          const token = sampled(one, options, draw());
          counts[token] = (counts[token] ?? 0) + 1;
        }
        for (const [token, count] of counts.entries()) {
          const { from, to } = all.find((chance) => chance.token === token) ?? { from: 0, to: 0 };
          const share = to - from;
          assert.ok(Math.abs(count / DRAWS - share) <= 6 * Math.sqrt((share * (1 - share)) / DRAWS));
        }
      },
      30,
    ));
});

const DRAWS = 3000;
const SLACK = 1e-5;
