/** The fast precision: exactly the stored weights, activations rounded to 8 bits, and no more than that. */
import { describe, test } from "bun:test";
import assert from "node:assert/strict";
import { join } from "node:path";
import fc from "fast-check";
import type { Precision } from "../../src/engine/index.ts";
import { type Product, products } from "../../src/engine/onnx/linear.ts";
import { loadModel, type Model, prefill, step } from "../../src/index.ts";
import type { Weights, WeightType } from "../../src/model/weights/weights.ts";
import { Graph, type OnnxModel, type Value } from "../../src/onnx/graph.ts";
import { type Feed, thisThread } from "../../src/onnx/session.ts";
import { scratch } from "../model/helpers.ts";
import { type GgufTensorSource, ggufBytes, pairRows, text, u32 } from "../support/gguf-writer.ts";
import { maxDifference } from "../support/golden.ts";
import { writeQuantised } from "../support/quantised-model.ts";
import { normal, uniform } from "../support/random.ts";
import { holds } from "../support/seed.ts";
import { ggufAt } from "../support/weights-at.ts";

const TYPES: readonly WeightType[] = ["Q4_1", "Q4_0", "Q8_0", "Q5_0", "Q5_1", "F16", "F32"];
/** Their rows are of whole super-blocks of 256. */
const SUPER: readonly WeightType[] = ["Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K"];
/** The parts of a joint product; rows of the first two lie in pairs in the file. */
const PARTS = ["attn_q", "attn_k", "attn_v", "ffn_up"];
const NAMES = ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "mlp.up_proj"].map(
  (part) => `model.layers.0.${part}.weight`,
);
const HAS_OFFSETS = /^Q(4_1|5_1|2_K|4_K|5_K)$/;
const HEADS = 2;
const HALF_ULP = 2 ** -24;
/** What sums in fp32 may lose, of the sum of their terms' sizes. */
const FP32 = 1e-6;

const seed = fc.integer({ min: 1, max: 2 ** 31 });
/** The width of rows that all matrices of a case have, and their types. */
const widths = [
  { types: TYPES, width: fc.integer({ min: 1, max: 5 }).map((blocks) => 32 * blocks) },
  { types: [...SUPER, "Q4_1", "Q8_0"] as const, width: fc.constantFrom(256, 512) },
].map(({ types, width }) =>
  fc.record({ width, types: fc.array(fc.constantFrom(...types), { minLength: 1, maxLength: PARTS.length }) }),
);
const rest = fc.record({
  seed,
  /** Per head, so that rows are twice as many. */
  rows: fc.array(fc.constantFrom(2, 4, 6, 10), { minLength: PARTS.length, maxLength: PARTS.length }),
  /** How far from zero a matrix lies, in units of its spread; and the spread. */
  mean: fc.constantFrom(0, 0, -1, 30),
  spread: fc.constantFrom(1, 0.02, 1e-4),
  count: fc.constantFrom(1, 2, 3, 17),
});
const cases = fc.tuple(fc.oneof(...widths), rest).map(([own, more]) => ({ ...own, ...more }));
type Case = typeof cases extends fc.Arbitrary<infer T> ? T : never;

const METADATA = [
  ["general.architecture", text("llama")],
  ["llama.attention.head_count", u32(HEADS)],
  ["llama.attention.head_count_kv", u32(HEADS)],
] as const;

/** A matrix of each type. */
const tensors = ({ seed, width, types, rows, mean, spread }: Case): GgufTensorSource[] =>
  types.map((type, i) => {
    const shape = [HEADS * (rows[i] ?? 2), width] as const;
    const values = normal(uniform(seed + i), shape[0] * shape[1], spread);
    return { name: `blk.0.${PARTS[i]}.weight`, type, shape, values: values.map((x) => x + mean * spread) };
  });

async function opened(
  tensors: readonly GgufTensorSource[],
  work: (weights: Weights, names: readonly string[]) => void | Promise<void>,
): Promise<void> {
  using folder = scratch();
  using weights = ggufAt(folder.write({ "m.gguf": ggufBytes({ metadata: METADATA, tensors }) })).weights;
  await work(
    weights,
    NAMES.filter((name) => weights.has(name)),
  );
}

/** The joint product with the matrices as a graph: x -> y. */
function graphOf(weights: Weights, names: readonly string[], precision: Precision = "fast", most?: number): OnnxModel {
  const g = new Graph();
  const [, width = 0] = weights.info(names[0] ?? "").shape;
  const product: Product = products(g, weights, precision, most);
  const x: Value = g.input("x", "float32", ["S", width]);
  g.output("y", product(x, names), "float32", ["S", "N"]);
  return g.finish("product");
}

/** What lies beside a graph, by name. */
function initializers({ weights }: OnnxModel): ReadonlyMap<string, ArrayBuffer> {
  return new Map(
    weights.map(({ path, byteLength, fill }) => {
      const bytes = new ArrayBuffer(byteLength);
      fill(bytes);
      return [path, bytes];
    }),
  );
}

/** A matrix [rows, width] as a fast product takes it: the sum of the two. */
interface Taken {
  /** (q - z) scale: what meets rounded activations. */
  readonly steps: Float64Array;
  readonly offsets: Float64Array;
}

/** The quantised matrices of a graph, by the definition of MatMulNBits: element i of a row is the i-th nibble or byte. */
function taken(model: OnnxModel, weights: Weights): ReadonlyMap<string, Taken> {
  const all = initializers(model);
  const found = new Map<string, Taken>();
  for (const path of all.keys()) {
    if (!path.endsWith(".quants")) continue;
    const part = (name: string) => all.get(path.replace(/quants$/, name));
    const bytes = new Uint8Array(part("quants") ?? new ArrayBuffer(0));
    const scales = new Float32Array(part("scales") ?? new ArrayBuffer(0));
    const offsets = new Float32Array(part("offsets") ?? new ArrayBuffer(scales.byteLength));
    const names = path.replace(/\.quants$/, "").split("+");
    const lengths = names.map((name) => weights.info(name).shape.reduce((product, size) => product * size, 1));
    const total = lengths.reduce((sum, length) => sum + length, 0);
    const [four, block] = [bytes.length === total / 2, total / scales.length];
    const q = (i: number) => (four ? (((bytes[i >> 1] ?? 0) >> (4 * (i & 1))) & 15) - 8 : (bytes[i] ?? 0) - 128);
    let from = 0;
    for (const [k, name] of names.entries()) {
      const length = lengths[k] ?? 0;
      const each = (value: (i: number) => number) => Float64Array.from({ length }, (_, i) => value(from + i));
      found.set(name, {
        steps: each((i) => q(i) * (scales[Math.floor(i / block)] ?? Number.NaN)),
        offsets: each((i) => offsets[Math.floor(i / block)] ?? Number.NaN),
      });
      from += length;
    }
    assert.ok(block === 16 || block === 32);
  }
  return found;
}

describe("a fast product", () => {
  test("stands on exactly the weights that fp32 reads", () =>
    holds(
      cases,
      (given) =>
        opened(tensors(given), (weights, names) => {
          const matrices = taken(graphOf(weights, names), weights);
          assert.deepEqual(
            [...matrices.keys()].sort(),
            names.filter((name) => weights.info(name).type.startsWith("Q")).sort(),
          );
          for (const [name, { steps, offsets }] of matrices) {
            for (const [i, value] of weights.read(name).entries()) {
              const offset = offsets[i] ?? Number.NaN;
              // Nothing is lost but one rounding each of the sum and of the offset, where there is one.
              const lost = HAS_OFFSETS.test(weights.info(name).type)
                ? HALF_ULP * (Math.abs(value) + Math.abs(offset))
                : 0;
              assert.ok(Math.abs((steps[i] ?? Number.NaN) + offset - value) <= lost, `${name}, element ${i}`);
            }
          }
        }),
      150,
    ));

  test("stands on them also where a matrix takes more than one reading", () => {
    const values = normal(uniform(5), 1088 * 2048);
    const stored = { type: "Q4_1", shape: [1088, 2048], values: pairRows(values, HEADS, 2048) } as const;
    return opened([{ name: "blk.0.attn_q.weight", ...stored }], (weights, names) => {
      const [[name, { steps, offsets }] = assert.fail("nothing was taken")] = taken(graphOf(weights, names), weights);
      const whole = steps.map((value, i) => value + (offsets[i] ?? Number.NaN));
      assert.ok(maxDifference(whole, weights.read(name)) < 1e-6);
      assert.ok(maxDifference(whole, values) < 0.5); // half a step of four bits, generously
    });
  });

  test("differs from the exact one by the rounding of activations, at most", () =>
    holds(cases, (given) =>
      opened(tensors(given), async (weights, names) => {
        const [, width = 0] = weights.info(names[0] ?? "").shape;
        const model = graphOf(weights, names);
        const matrices = taken(model, weights);
        const x = normal(uniform(given.seed + 99), given.count * width);
        await using session = await thisThread.open(model, { threads: 1 });
        const { y } = await session.run({ x: { data: x, dims: [given.count, width] } }, ["y"]);
        const rows = names.flatMap((name) => {
          const values = Float64Array.from(weights.read(name));
          const { steps, offsets } = matrices.get(name) ?? { steps: values.map(() => 0), offsets: values };
          return Array.from({ length: values.length / width }, (_, row) => {
            const own = (data: Float64Array) => data.subarray(row * width, (row + 1) * width);
            return { values: own(values), steps: own(steps), offsets: own(offsets) };
          });
        });
        assert.deepEqual(y.dims, [given.count, rows.length]);
        for (let s = 0; s < given.count; s++) {
          const input = x.subarray(s * width, (s + 1) * width);
          // A step of 8 bits is a 127th of the largest activation of the block (some CPUs: of the row), and rounding errs by half.
          const rounding = Math.max(...input.map(Math.abs)) / 127 / 2;
          for (const [n, { values, steps, offsets }] of rows.entries()) {
            const sum = (term: (i: number) => number) => input.reduce((total, _, i) => total + term(i), 0);
            const exact = sum((i) => (input[i] ?? 0) * (values[i] ?? 0));
            const allowed =
              sum((i) => rounding * Math.abs(steps[i] ?? 0)) +
              FP32 * sum((i) => Math.abs(input[i] ?? 0) * (Math.abs(steps[i] ?? 0) + Math.abs(offsets[i] ?? 0)));
            const error = Math.abs(Number(y.data[s * rows.length + n]) - exact);
            assert.ok(error <= allowed, `row ${s}, column ${n}: off by ${error}, not ${allowed}`);
          }
        }
      }),
    ));
});

describe("a product in fp32", () => {
  const large = fc.record({
    rows: fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 3 }),
    /** Bytes of one weight, at most: from a row and a bit to all of them. */
    most: fc.integer({ min: 128, max: 8000 }),
    type: fc.constantFrom<WeightType>("F32", "BF16", "Q8_0"),
  });

  test("with matrices too large for one weight is made of several, and is the same", () =>
    holds(large, ({ rows, most, type }) => {
      const parts = ["attn_v", "ffn_up", "ffn_gate"];
      const tensors = rows.map((count, i) => {
        const values = normal(uniform(i + 1), count * 32);
        return { name: `blk.0.${parts[i]}.weight`, type, shape: [count, 32], values };
      });
      return opened(tensors, async (weights) => {
        const names = weights.tensors.map(({ name }) => name);
        const x = { data: normal(uniform(9), 3 * 32), dims: [3, 32] };
        const results: Feed[] = [];
        for (const limit of [most, 2 ** 30]) {
          const model = graphOf(weights, names, "fp32", limit);
          for (const { byteLength } of model.weights) assert.ok(byteLength <= limit);
          await using session = await thisThread.open(model, { threads: 1 });
          const { y } = await session.run({ x }, ["y"]);
          results.push(y ?? assert.fail());
        }
        const [ours = assert.fail(), whole = assert.fail()] = results;
        assert.deepEqual(ours.dims, whole.dims);
        const numbers = ({ data }: Feed) => Array.from(data, Number);
        assert.ok(maxDifference(numbers(ours), numbers(whole)) < 1e-5);
      });
    }));
});

describe("a fast model", () => {
  /** The first matrix, the embeddings and head, is always quantised. */
  const models = fc.record({
    types: fc.array(fc.constantFrom(...TYPES), { minLength: 1, maxLength: 6 }),
    layers: fc.integer({ min: 1, max: 3 }),
    seed: fc.integer({ min: 1, max: 1000 }),
    prompt: fc.array(fc.integer({ min: 0, max: 63 }), { minLength: 4, maxLength: 30 }),
    cut: fc.integer({ min: 1, max: 3 }),
    chunk: fc.constantFrom(1, 3, 8),
  });
  type Trial = typeof models extends fc.Arbitrary<infer T> ? T : never;

  async function onModels(law: (trial: Trial, open: (precision: Precision) => Promise<Model>) => Promise<void>) {
    await holds(
      models,
      async (trial) => {
        using folder = scratch();
        const { types, layers, seed } = trial;
        const typeOf = (i: number) => (i === 0 ? "Q8_0" : (types[i % types.length] ?? "F32"));
        const path = await writeQuantised(join(folder.path, "m.gguf"), typeOf, { layers, seed });
        await law(trial, (precision) => loadModel(path, { precision, threads: 1, progress: false, graphCache: false }));
      },
      30,
    );
  }

  const everyLogit = async ({ engine }: Model, prompt: readonly number[], chunk = 64) =>
    (await engine.prefill({ tokens: Int32Array.from(prompt), chunk, lastQueries: 1, allLogits: true })).logits;

  // One product is off by 0.5 % (a block's largest of 32 normal activations is 2.2 on average: 2.2 / 127 / sqrt(12)). Seven a layer add up
  // in quadrature, and a random network of up to three layers amplifies them, mostly through attention: 6 % were seen.
  test("gives fp32's logits within 15 %, RMS", () =>
    onModels(async ({ prompt }, open) => {
      using exact = await open("fp32");
      using fast = await open("fast");
      const expected = await everyLogit(exact, prompt);
      const found = await everyLogit(fast, prompt);
      assert.ok(rms(found, expected) < 0.15 * rms(expected), `${rms(found, expected)} of ${rms(expected)}`);
      assert.notDeepEqual(found, expected);
    }));

  // Rows are rounded alone, so how many run together changes sums in their last bits only, until one of those bits tips an
  // activation to its other neighbour. From there on the two differ as both do from fp32. In most of these trials that never happens.
  test("gives the same in one prefill, in chunks and in steps, unless a rounding tips over", async () => {
    const worst: number[] = [];
    await onModels(async ({ prompt, cut, chunk }, open) => {
      using fast = await open("fast");
      const whole = await everyLogit(fast, prompt);
      const size = whole.length / prompt.length;
      using context = await prefill(fast, Int32Array.from(prompt.slice(0, cut)));
      using cache = context.cache.fork();
      const steps = [...whole.subarray(0, cut * size)];
      for (const token of prompt.slice(cut)) steps.push(...(await step(fast, cache, token)));
      for (const other of [Float32Array.from(steps), await everyLogit(fast, prompt, chunk)]) {
        assert.ok(rms(other, whole) < 0.15 * rms(whole), `${rms(other, whole)} of ${rms(whole)}`);
        worst.push(maxDifference(other, whole));
      }
    });
    const same = worst.filter((difference) => difference < 1e-4);
    assert.ok(same.length > worst.length / 2, `${same.length} of ${worst.length}`);
  });
});

function rms(a: Float32Array, b?: Float32Array): number {
  assert.equal(a.length, b?.length ?? a.length);
  return Math.sqrt(a.reduce((sum, value, i) => sum + (value - (b?.[i] ?? 0)) ** 2, 0) / a.length);
}
