/** What the network sees of what is held. */
import assert from "node:assert/strict";
import { step } from "../../../src/index.ts";
import { maxDifference } from "../golden.ts";
import { TOLERANCE } from "../network-laws.ts";
import { referenceLogits } from "../reference-decoder.ts";
import { carriedOut, heldBefore, type Laws, positionsOf } from "./trial.ts";

export const visibility: Laws = {
  "each block attends to what was held when it ran, and decoding to what was kept: the plain decoder under that mask":
    async (factory, trial) => {
      const { model, tokens, next } = trial;
      const { calls, cache } = await carriedOut(factory, trial);
      using _ = cache;
      const blocks = calls.map((call) => ({
        from: call.before.position,
        held: heldBefore(model, call).map((heads) => heads.map((positions) => new Set(positions))),
      }));
      const kept = positionsOf(model, cache).map((heads) => heads.map((positions) => new Set(positions)));
      blocks.push({ from: tokens.length, held: kept });
      const sees = (layer: number, head: number, query: number, key: number) => {
        const block = blocks.findLast(({ from }) => from <= query);
        return block === undefined || key >= block.from || (block.held[layer]?.[head]?.has(key) ?? false);
      };
      const expected = referenceLogits(model.config, model.weights, [...tokens, ...next], sees);
      assert.ok(maxDifference(cache.logits, expected[tokens.length - 1] ?? []) < TOLERANCE, "after the prompt");
      for (const [i, token] of next.entries()) {
        const logits = await step(model, cache, token);
        assert.ok(maxDifference(logits, expected[tokens.length + i] ?? []) < TOLERANCE, `token ${i}`);
      }
    },
};
