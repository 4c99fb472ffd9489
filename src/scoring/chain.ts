import { rankable } from "./rankable.ts";
import type { Score, Step } from "./score.ts";

/**
 * A score from a source and the steps that follow it, in order: `chain(windowAttention(8), meanOverGroup, maxPool(7))`.
 *
 * @throws KvError `engine_failed` when the source or a step gives NaN
 */
export const chain = (source: Score, ...steps: readonly Step[]): Score => ({
  needs: source.needs,
  ...(source.namesHeads ? { namesHeads: true } : {}),
  async evaluate(view) {
    let scores = rankable(await source.evaluate(view), view);
    for (const apply of steps) scores = rankable(await apply(scores, view), view); // each time: a pool would hide NaN
    return scores;
  },
});
