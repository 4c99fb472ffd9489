/** The engine on its own: prefill against the plain-TypeScript decoder, and its indifference to chunks. */

import { describe, test } from "bun:test";
import assert from "node:assert/strict";
import { h2o, prefill, retain, type Selection, step } from "../../src/index.ts";
import { maxDifference } from "../support/golden.ts";
import { onNetworks, TOLERANCE } from "../support/network-laws.ts";
import { uniform } from "../support/random.ts";
import { referenceLogits } from "../support/reference-decoder.ts";
import { tinyModel } from "../support/tiny-model.ts";

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

  test("prefill after a past of whole entries equals one prefill: logits, cache, queries and column sums", () =>
    onNetworks(
      h2o,
      async ({ model, context }) => {
        const n = context.length;
        for (const split of [1, 13, n - 1]) {
          const request = { chunk: 6, lastQueries: 4, columnSums: true };
          const first = await model.engine.prefill({ ...request, tokens: context.tokens.subarray(0, split) });
          const past = { layers: first.layers, position: split };
          const rest = await model.engine.prefill({ ...request, tokens: context.tokens.subarray(split), past });
          const whole = await model.engine.prefill({ ...request, tokens: context.tokens, lastQueries: n - split });
          const count = Math.min(4, n - split);
          const lastOf = (queries: Float32Array) => {
            const size = model.config.headDim;
            const rows = n - split;
            return queries.filter((_, i) => i % (rows * size) >= (rows - count) * size);
          };
          const pairs: (readonly [ArrayLike<number>, ArrayLike<number>])[] = [[rest.logits, whole.logits]];
          for (const [l, { keys, values, positions, offsets }] of rest.layers.entries()) {
            const expected = whole.layers[l];
            assert.deepEqual({ positions, offsets }, { positions: expected?.positions, offsets: expected?.offsets });
            pairs.push([keys, expected?.keys ?? []], [values, expected?.values ?? []]);
            pairs.push([rest.queries[l] ?? [], lastOf(whole.queries[l] ?? new Float32Array(0))]);
            const [early, late] = [first.columnSums?.[l] ?? [], rest.columnSums?.[l] ?? new Float32Array(0)];
            const total = late.map((sum, i) => {
              const [head, j] = [Math.floor(i / n), i % n];
              return j < split ? sum + (early[head * split + j] ?? 0) : sum;
            });
            pairs.push([total, whole.columnSums?.[l] ?? []]);
          }
          for (const [ours, theirs] of pairs) assert.ok(maxDifference(ours, theirs) < TOLERANCE, `split ${split}`);
        }
      },
      10,
    ));

  test("a past of unequal heads or layers, or with gaps under a sliding window, is refused", async () => {
    const model = await tinyModel({ layers: 2, slidingWindow: 8 });
    const tokens = Int32Array.of(1, 2, 3, 4, 5, 6);
    using context = await prefill(model, tokens);
    const all = Int32Array.of(0, 1, 2, 3, 4, 5);
    const some = Int32Array.of(0, 2, 5);
    const after = async (selection: Selection) => {
      using cache = await retain(context, selection);
      const past = { layers: cache.layers, position: tokens.length };
      return await model.engine.prefill({ tokens, chunk: 8, lastQueries: 1, past });
    };
    await assert.rejects(
      after([
        [all, some],
        [all, all],
      ]),
      { code: "wrong_shape", path: ["prefill", "past", "layers"] },
    );
    await assert.rejects(
      after([
        [all, all],
        [some, some],
      ]),
      { code: "wrong_shape" },
    );
    await assert.rejects(
      after([
        [some, some],
        [some, some],
      ]),
      { code: "invalid_option", message: /sliding window/ },
    );
    assert.equal(
      (
        await after([
          [all, all],
          [all, all],
        ])
      ).logits.length,
      model.config.vocabSize,
    );
  });

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
