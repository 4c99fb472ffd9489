/** The engine on its own: prefill against the plain-TypeScript decoder, and its indifference to chunks. */

import { describe, test } from "bun:test";
import assert from "node:assert/strict";
import { h2o, prefill, retain, type Selection, step } from "../../src/index.ts";
import { maxDifference } from "../support/golden.ts";
import { onNetworks, TOLERANCE } from "../support/network-laws.ts";
import { uniform } from "../support/random.ts";
import { referenceLogits } from "../support/reference-decoder.ts";

describe("the CPU engine", () => {
  test("prefill equals the plain decoder at every position", () =>
    onNetworks(h2o, async ({ model, context }) => {
      const request = { tokens: context.tokens, chunk: 7, lastQueries: 1, allLogits: true };
      const { logits } = await model.engine.prefill(request);
      const expected = referenceLogits(model.config, model.weights, [...context.tokens]);
      assert.ok(maxDifference(logits, expected.flat()) < TOLERANCE);
    }));

  test("chunked prefill equals one-shot prefill: logits, cache, queries and column sums", () =>
    onNetworks(h2o, async ({ model, context, budget }) => {
      const observe = [h2o({ budget })];
      for (const chunk of [1, 3, 8, 1000]) {
        using other = await prefill(model, context.tokens, { observe, chunk });
        const pairs = [
          [other.logits, context.logits],
          ...other.layers.flatMap(({ keys, values }, l) => [
            [keys, context.layers[l]?.keys],
            [values, context.layers[l]?.values],
          ]),
          ...other.observation.queries.map(({ data }, l) => [data, context.observation.queries[l]?.data]),
          ...(other.observation.columnSums ?? []).map(({ data }, l) => [
            data,
            context.observation.columnSums?.[l]?.data,
          ]),
        ];
        assert.equal(pairs.length, 1 + 4 * model.config.layers);
        for (const [ours = [], theirs = []] of pairs)
          assert.ok(maxDifference(ours, theirs) < TOLERANCE, `chunk ${chunk}`);
      }
    }));

  test("any selection, however unequal its heads, decodes as the plain decoder under a mask, in its own bytes", () =>
    onNetworks(
      h2o,
      async ({ model, context, next }) => {
        const { layers, kvHeads, headDim } = model.config;
        const chance = uniform(context.length);
        const selection: Selection = Array.from({ length: layers }, () =>
          Array.from({ length: kvHeads }, (_, head) => {
            const density = (head + 1) / (kvHeads + 1);
            // The first head may keep nothing at all, as long as its layer keeps something.
            return Int32Array.from(context.tokens.keys()).filter(
              (j) => (head > 0 && j === 0) || chance() < density || (kvHeads === 1 && j === 0),
            );
          }),
        );
        using cache = await retain(context, selection);
        const entries = selection.flat().reduce((sum, kept) => sum + kept.length, 0);
        assert.equal(cache.bytes, entries * headDim * 2 * 4);
        const n = context.length;
        const sees = (layer: number, head: number, query: number, key: number) =>
          query < n || key >= n || (selection[layer]?.[head]?.includes(key) ?? false);
        const masked = referenceLogits(model.config, model.weights, [...context.tokens, ...next], sees);
        for (const [i, token] of next.entries()) {
          assert.ok(maxDifference(await step(model, cache, token), masked[n + i] ?? []) < TOLERANCE, `token ${i}`);
        }
      },
      60,
    ));

  test("a continuation that outgrows its first pages decodes as the plain decoder", () =>
    onNetworks(
      h2o,
      async ({ model, context }) => {
        using cache = context.cache.fork();
        const next = Array.from({ length: 40 }, (_, i) => (i * 7) % model.config.vocabSize);
        const expected = referenceLogits(model.config, model.weights, [...context.tokens, ...next]);
        for (const [i, token] of next.entries()) {
          const logits = await step(model, cache, token);
          assert.ok(maxDifference(logits, expected[context.length + i] ?? []) < TOLERANCE, `token ${i}`);
        }
      },
      5,
    ));
});
