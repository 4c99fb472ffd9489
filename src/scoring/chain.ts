import type { Score, Step } from "./score.ts";

/** A score from a source and the steps that follow it, in order: `chain(windowAttention(8), meanOverGroup, maxPool(7))`. */
export const chain = (source: Score, ...steps: readonly Step[]): Score => ({
  needs: source.needs,
  async evaluate(view) {
    let scores = await source.evaluate(view);
    for (const apply of steps) scores = await apply(scores, view);
    return scores;
  },
});
