/** The engine on its own: prefill against the plain-TypeScript decoder, and its indifference to chunks. */

import { describe, test } from "bun:test";
import assert from "node:assert/strict";
import { referenceKernels } from "../../kernels/index.ts";
import { h2o, prefill, retain, type Selection, step } from "../../src/index.ts";
import { keptBytes } from "../support/cache-bytes.ts";
import { maxDifference } from "../support/golden.ts";
import { onNetworks, TOLERANCE } from "../support/network-laws.ts";
import { uniform } from "../support/random.ts";
import { referenceLogits } from "../support/reference-decoder.ts";
import { tinyModel } from "../support/tiny-model.ts";

const reference = referenceKernels();

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
      const layers = await context.read();
      const observe = [h2o({ budget })];
      for (const chunk of [1, 3, 8, 1000]) {
        using other = await prefill(model, context.tokens, { observe, chunk });
        const pairs = [
          [other.logits, context.logits],
          ...(await other.read()).flatMap(({ keys, values }, l) => [
            [keys, layers[l]?.keys],
            [values, layers[l]?.values],
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

  test("prefill that goes on in a cache equals one prefill: logits, cache, queries and column sums", () =>
    onNetworks(
      h2o,
      async ({ model, context }) => {
        const n = context.length;
        for (const split of [1, 13, n - 1]) {
          const request = { chunk: 6, lastQueries: 4, columnSums: true };
          using cache = model.engine.prompt(5);
          const first = await model.engine.prefill({ ...request, tokens: context.tokens.subarray(0, split), cache });
          const rest = await model.engine.prefill({ ...request, tokens: context.tokens.subarray(split), cache });
          const whole = await model.engine.prefill({ ...request, tokens: context.tokens, lastQueries: n - split });
          using _ = whole.entries;
          const expectedLayers = await whole.entries.read();
          const count = Math.min(4, n - split);
          const lastOf = (queries: Float32Array) => {
            const size = model.config.headDim;
            const rows = n - split;
            return queries.filter((_, i) => i % (rows * size) >= (rows - count) * size);
          };
          const pairs: (readonly [ArrayLike<number>, ArrayLike<number>])[] = [[rest.logits, whole.logits]];
          for (const [l, { keys, values, positions, offsets }] of (await rest.entries.read()).entries()) {
            const expected = expectedLayers[l];
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

  test("prefill that goes on in a cache with gaps is the plain decoder under that mask, at true positions, and so is what it observes", () =>
    onNetworks(h2o, async ({ model, context }) => {
      const { layers, kvHeads, queryHeads, headDim, slidingWindow } = model.config;
      if (slidingWindow.some((window) => window !== null)) return;
      const n = context.length;
      const split = Math.ceil(n / 2);
      const chance = uniform(n);
      const held = Math.ceil(split / 3);
      const some = () =>
        Int32Array.from({ length: held }, (_, i) => 3 * i + Math.floor(chance() * Math.min(3, split - 3 * i)));
      const selection = Array.from({ length: layers }, () => Array.from({ length: kvHeads }, some));
      using cache = model.engine.prompt(n);
      await model.engine.prefill({ tokens: context.tokens.subarray(0, split), chunk: 7, lastQueries: 1, cache });
      cache.retain(selection);
      const rest = await model.engine.prefill({
        tokens: context.tokens.subarray(split),
        chunk: 6,
        cache,
        lastQueries: n,
        allLogits: true,
        columnSums: true,
      });
      const sees = (layer: number, head: number, query: number, key: number) =>
        query < split || key >= split || (selection[layer]?.[head]?.includes(key) ?? false);
      const expected = referenceLogits(model.config, model.weights, [...context.tokens], sees);
      assert.ok(maxDifference(rest.logits, expected.slice(split).flat()) < TOLERANCE);
      // What enters the lowest layer does not depend on what any token attends to.
      const all = await model.engine.prefill({ tokens: context.tokens, chunk: 512, lastQueries: n - split });
      assert.ok(maxDifference(rest.queries[0] ?? [], all.queries[0] ?? []) < TOLERANCE);
      using _ = all.entries;
      const [restLayers, allLayers] = [await rest.entries.read(), await all.entries.read()];
      const size = held + n - split;
      for (let head = 0; head < kvHeads; head++) {
        const ours = restLayers[0]?.keys.subarray((head * size + held) * headDim, (head + 1) * size * headDim);
        const theirs = allLayers[0]?.keys.subarray((head * n + split) * headDim, (head + 1) * n * headDim);
        assert.ok(maxDifference(ours ?? [], theirs ?? []) < TOLERANCE);
      }
      for (const [layer, { keys, positions }] of restLayers.entries()) {
        const queries = { data: rest.queries[layer] ?? new Float32Array(0), dims: [queryHeads, n - split, headDim] };
        const seen = await reference.columnSums(
          queries,
          { data: keys, dims: [kvHeads, size, headDim] },
          { slidingWindow: null },
        );
        assert.ok(maxDifference(rest.columnSums?.[layer] ?? [], seen.data) < TOLERANCE);
        const after = Array.from({ length: n - split }, (_, i) => split + i);
        assert.deepEqual(
          [...positions],
          selection[layer]?.flatMap((own) => [...own, ...after]),
        );
      }
    }));

  test("a cache with gaps is refused on a model with a sliding window", async () => {
    using model = await tinyModel({ layers: 2, slidingWindow: 8 });
    const request = {
      tokens: Int32Array.of(1, 2, 3),
      chunk: 8,
      lastQueries: 1,
      cache: model.engine.prompt(6),
    };
    await model.engine.prefill(request);
    await model.engine.prefill(request);
    const some = [Int32Array.of(0, 5), Int32Array.of(1, 5)];
    request.cache.retain([some, some]);
    const fault = {
      code: "invalid_option",
      path: ["prefill", "cache"],
      message: /2 of 6 earlier entries.*sliding window/,
    };
    await assert.rejects(model.engine.prefill(request), fault);
  });

  test("any selection, however unequal its heads, decodes as the plain decoder under a mask, in its own bytes", () =>
    onNetworks(
      h2o,
      async ({ model, context, next }) => {
        const { layers, kvHeads } = model.config;
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
        assert.equal(cache.bytes, keptBytes(model, cache.lengths));
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
