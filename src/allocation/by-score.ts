import type { Score } from "../scoring/score.ts";
import type { Schedule } from "./schedule.ts";

/** A schedule that goes by another score than the one by which the method then chooses. */
export function byScore(score: Score, schedule: Schedule): Schedule {
  const other: Schedule = (request) =>
    schedule({ ...request, scores: async (layer) => score.evaluate(await request.view(layer)) });
  return Object.assign(other, { needs: score.needs, ...(score.namesHeads ? { namesHeads: score.namesHeads } : {}) });
}
