import { row } from "../../kernels/tensor.ts";
import type { Tensor } from "../tensor.ts";
import { type Step, step } from "./score.ts";

/**
 * Two stages: the `count` highest of each row stay on top, in their order, and what another step makes of the scores orders the rest.
 * [KH, m] -> [KH, m]
 *
 * @param count of each head, an integer >= 0, or a function that gives each head its own by the scores; what a head keeps beyond it is
 *   chosen by `then`
 * @param then such as `timesProjectedNorm`
 */
export const firstBest = (count: number | ((scores: Tensor) => readonly number[]), then: Step): Step =>
  step(`firstBest(${typeof count === "number" ? count : "by head"}, ${then.label})`, async (scores, view) => {
    const [rows = 0, columns = 0] = scores.dims;
    const counts = typeof count === "number" ? Array.from({ length: rows }, () => count) : count(scores);
    const best = await view.kernels.topK(
      scores,
      counts.map((own) => Math.min(own, columns)),
    );
    const { data, dims } = await then(scores, view);
    const staged = data.slice();
    for (const [r, chosen] of best.entries()) {
      const first = row(scores, r);
      const above = row({ data, dims }, r).reduce((most, score) => Math.max(most, score), 1);
      // Of equal ones the lower position comes first, as everywhere.
      const ranked = chosen.toSorted((a, b) => (first[b] ?? 0) - (first[a] ?? 0) || a - b);
      for (const [place, column] of ranked.entries())
        staged[r * columns + column] = above * (1 + chosen.length - place);
    }
    return { data: staged, dims };
  });
