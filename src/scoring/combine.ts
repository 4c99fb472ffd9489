import { allNeeds } from "./needs.ts";
import { rankable } from "./rankable.ts";
import type { LayerView, Score } from "./score.ts";

/**
 * The weighted sum of scores, each [KH, m]. Scores of different kinds are best ranked before: `chain(keyDifference(), rank)`.
 *
 * @param terms scores with their weights
 */
export const weightedSum = (...terms: readonly (readonly [weight: number, score: Score])[]): Score => ({
  needs: allNeeds(terms.map(([, { needs }]) => needs)),
  ...naming(terms.map(([, score]) => score)),
  async evaluate(view) {
    let sum: Float32Array | null = null;
    let dims: readonly number[] = [];
    for (const [weight, score] of terms) {
      const scores = rankable(await score.evaluate(view), view);
      sum ??= new Float32Array(scores.data.length);
      for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] ?? 0) + weight * (scores.data[i] ?? 0);
      dims = scores.dims;
    }
    return { data: sum ?? new Float32Array(0), dims };
  },
});

/** A score for each layer, lowest first; the last one goes for all layers above. */
export const perLayer = (...scores: readonly [Score, ...Score[]]): Score => ({
  needs: allNeeds(scores.map(({ needs }) => needs)),
  ...naming(scores),
  evaluate: (view: LayerView) => (scores[view.layer] ?? scores.at(-1) ?? scores[0]).evaluate(view),
});

/** A combination names heads where one of its scores does. */
const naming = (scores: readonly Score[]): Pick<Score, "namesHeads"> =>
  scores.some(({ namesHeads }) => namesHeads) ? { namesHeads: true } : {};
