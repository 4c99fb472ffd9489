/** What the limit's shares are computed from: counted here from the weights themselves, and token by token. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { prefillFlops, stepBytes, weightBytes } from "../../bench/peers/work.ts";
import { randomWeights, tinyConfig } from "../support/random-model.ts";
import { holds } from "../support/seed.ts";

const configs = fc
  .record({
    layers: fc.integer({ min: 1, max: 4 }),
    heads: fc.constantFrom([4, 2] as const, [4, 4] as const, [3, 1] as const),
    headDim: fc.constantFrom(8, 16),
  })
  .map(({ layers, heads: [queryHeads, kvHeads], headDim }) => tinyConfig({ layers, queryHeads, kvHeads, headDim }));

const sizeOf = ({ shape }: { readonly shape: readonly number[] }) => shape.reduce((product, size) => product * size, 1);

test("a model's bytes are those of its weights", () =>
  holds(configs, (config) => {
    const { tensors } = randomWeights(config, 1);
    expect(weightBytes(config)).toBe(tensors.reduce((sum, tensor) => sum + 4 * sizeOf(tensor), 0));
  }));

test("a step reads all weights once and the cache; of two tables, only the output's", () =>
  holds(configs, (config) => {
    expect(stepBytes(config, 1000)).toBe(weightBytes(config) + 1000);
    const untied = { ...config, tiedEmbeddings: false };
    expect(stepBytes(untied, 0)).toBe(stepBytes(config, 0));
    expect(weightBytes(untied) - weightBytes(config)).toBe(4 * config.vocabSize * config.hiddenSize);
  }));

test("a prefill's operations are two per weight and token, two products per pair of tokens, and one row of logits", () =>
  holds(fc.tuple(configs, fc.integer({ min: 1, max: 50 })), ([config, n]) => {
    const matrices = randomWeights(config, 1).tensors.filter(
      ({ name, shape }) => name.includes("layers") && shape.length === 2,
    );
    let operations = 2 * config.vocabSize * config.hiddenSize;
    for (let i = 0; i < n; i++) {
      operations += matrices.reduce((sum, matrix) => sum + 2 * sizeOf(matrix), 0);
      // Scores and mixing: 2 d each for every earlier token, half of one's own.
      operations += config.layers * config.queryHeads * 4 * config.headDim * (i + 0.5);
    }
    expect(prefillFlops(config, n)).toBe(operations);
  }));

test("SmolLM2-135M weighs 538 MB and takes 247 GFLOP for a prompt of 1,000 tokens", () => {
  const config = {
    ...tinyConfig({ layers: 30, queryHeads: 9, kvHeads: 3, headDim: 64 }),
    hiddenSize: 576,
    intermediateSize: 1536,
    vocabSize: 49152,
  };
  expect(weightBytes(config)).toBe(4 * 134_515_008);
  expect(prefillFlops(config, 1000) / 1e9).toBeCloseTo(246.99, 1);
});
