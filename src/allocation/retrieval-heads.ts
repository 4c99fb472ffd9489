import { type HeadScores, valuesFor } from "./head-scores.ts";
import type { Schedule } from "./schedule.ts";

export interface RetrievalHeadsOptions {
  /** How much each KV head retrieves from afar. */
  readonly heads: HeadScores;
}

/**
 * DuoAttention's schedule: heads that retrieve keep every candidate, streaming heads none, only what is always kept. The budget says
 * how many retrieve: those of the highest scores, as many as it pays for whole; the next one has what is left. Of equal scores, the
 * lower layer and head first.
 *
 * @throws KvError `wrong_shape`, when used, on a model of other layers or heads
 * @see https://arxiv.org/abs/2410.10819
 */
export function retrievalHeads({ heads }: RetrievalHeadsOptions): Schedule {
  const schedule: Schedule = (request) => {
    const { layers, kvHeads, mean, limit } = request;
    const values = valuesFor(heads, request);
    const scores = values.flat();
    const order = [...scores.keys()].sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0) || a - b);
    const counts = values.map((own) => own.map(() => 0));
    let left = Math.min(mean, limit) * layers * kvHeads;
    for (const i of order) {
      const own = counts[Math.floor(i / kvHeads)];
      if (own !== undefined) own[i % kvHeads] = Math.min(limit, left);
      left -= Math.min(limit, left);
    }
    return counts;
  };
  return Object.assign(schedule, { namesHeads: true } as const);
}
