/** What is held on the way, and what is kept at the end. */
import assert from "node:assert/strict";
import { range, sum } from "../numbers.ts";
import { carriedOut, heldBefore, type Laws, positionsOf } from "./trial.ts";

export const holdings: Laws = {
  "no more than the working budget and a block is held, equally many everywhere": async (factory, trial) => {
    const { options, calls, cache } = await carriedOut(factory, trial);
    using _ = cache;
    let seen = 0;
    let held = 0;
    for (const { request, before, result } of calls) {
      const stayed = Math.min(held, options.working);
      const counts = heldBefore(trial.model, { before }).flat();
      assert.deepEqual([...new Set(counts.map(({ length }) => length))], [stayed]);
      assert.equal(before.position, seen);
      assert.ok(request.tokens.length <= options.block);
      seen += request.tokens.length;
      held = stayed + request.tokens.length;
      assert.ok(held <= options.working + options.block);
      assert.ok(result.layers.every(({ offsets }) => offsets.at(-1) === held * trial.model.config.kvHeads));
    }
    assert.equal(seen, trial.tokens.length);
    assert.equal(cache.length, seen);
  },
  "what is kept is the budget, ascending, true positions, sinks and window among them": async (factory, trial) => {
    const { method, calls, cache } = await carriedOut(factory, trial);
    using _ = cache;
    const { layers, kvHeads } = trial.model.config;
    const { first, last } = method.keep;
    const n = trial.tokens.length;
    const lastCall = calls.at(-1);
    const held = (lastCall?.request.tokens.length ?? 0) + (lastCall?.before.layers[0]?.offsets[1] ?? 0);
    const entries = sum(cache.lengths.flat());
    if (method.exact) assert.equal(entries, Math.min(method.budget, held) * layers * kvHeads);
    for (const heads of positionsOf(trial.model, cache)) {
      for (const positions of heads) {
        assert.deepEqual(
          positions,
          [...new Set(positions)].sort((a, b) => a - b),
        );
        assert.ok(positions.every((position) => position >= 0 && position < n));
        const always = [...range(0, Math.min(first, n)), ...range(Math.max(0, n - last), n)];
        assert.deepEqual(
          always.filter((position) => !positions.includes(position)),
          [],
        );
      }
    }
  },
};
