/** Blocks change nothing where nothing has to go, nor does how a prompt comes. */
import assert from "node:assert/strict";
import { compress, compressInBlocks, prefill, step } from "../../../src/index.ts";
import { maxDifference } from "../golden.ts";
import { TOLERANCE } from "../network-laws.ts";
import { recorded } from "../recorded-engine.ts";
import { carriedOut, type Laws, positionsOf, workingFor } from "./trial.ts";

export const sameness: Laws = {
  "a working budget of the prompt's length or more is one-shot compression": async (factory, trial) => {
    const { model, tokens, budget, block, next } = trial;
    const method = factory({ budget });
    using context = await prefill(model, tokens, { observe: [method], chunk: block });
    for (const extra of [0, 9]) {
      const working = workingFor(method, Math.max(tokens.length, budget) + extra);
      using expected = await compress(context, method);
      using cache = await compressInBlocks(model, tokens, method, { block, working });
      assert.deepEqual(positionsOf(model, cache), positionsOf(model, expected));
      assert.equal(cache.bytes, expected.bytes);
      assert.ok(maxDifference(cache.logits, expected.logits) < TOLERANCE);
      for (const token of next)
        assert.ok(maxDifference(await step(model, cache, token), await step(model, expected, token)) < TOLERANCE);
    }
  },
  "however a prompt comes in pieces, its blocks and its cache are the same": async (factory, trial) => {
    const { model, tokens } = trial;
    const { method, options, calls, cache } = await carriedOut(factory, trial);
    using _ = cache;
    for (const size of [1, 5, 1000]) {
      const recording = recorded(model);
      using other = await compressInBlocks(recording.model, inPieces(tokens, size), method, options);
      assert.deepEqual(
        recording.calls.map(({ request }) => [...request.tokens]),
        calls.map(({ request }) => [...request.tokens]),
      );
      assert.deepEqual(positionsOf(model, other), positionsOf(model, cache));
      assert.deepEqual(other.logits, cache.logits);
      assert.equal(other.bytes, cache.bytes);
    }
  },
};

async function* inPieces(tokens: Int32Array, size: number) {
  for (let at = 0; at < tokens.length; at += size) {
    yield new Int32Array(0);
    yield tokens.subarray(at, at + size);
  }
}
