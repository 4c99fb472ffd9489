import { countsOf } from "../adaptive-heads.ts";
import { type FixedSchedule, type Schedule, sameForHeads } from "../schedule.ts";
import { uniform } from "../uniform.ts";
import { roundHalfEven } from "./python.ts";

/**
 * kvpress's pyramid, as its code computes it: the ramp is over the whole budget, window included, and rounded layer by layer, so
 * the total may be off by a few. Wherever the top layer would keep less than the window (any budget below beta * window on a
 * long prompt) it silently is uniform. One layer, where its code divides by zero, is uniform too.
 *
 * @see https://github.com/NVIDIA/kvpress
 */
export const kvpressPyramid =
  ({ beta = 20 }: { readonly beta?: number } = {}): FixedSchedule =>
  (request) => {
    const { layers, kvHeads, mean, limit, kept } = request;
    const [length, budget] = [limit + kept, mean + kept];
    const low = budget / beta;
    const high = 2 * budget - low;
    const [top, bottom] = high >= limit ? [2 * budget - limit, limit] : [low, high];
    const isRamp = length >= bottom && bottom >= top && top >= kept;
    if (!isRamp || layers === 1) return uniform()(request);
    const step = (bottom - top) / (layers - 1);
    return sameForHeads(
      Array.from({ length: layers }, (_, layer) => roundHalfEven(bottom - layer * step) - kept),
      kvHeads,
    );
  };

/**
 * kvpress's AdaKV, as its code computes it: the fifth that every head keeps is of the whole budget, and the window counts towards it.
 *
 * @see https://github.com/NVIDIA/kvpress
 */
export const kvpressAdaptive = (): Schedule => async (request) => {
  const { layers, kvHeads, mean, kept } = request;
  const safe = Math.max(0, Math.trunc(0.2 * (mean + kept)) - kept);
  const counts: number[][] = [];
  for (let layer = 0; layer < layers; layer++) counts.push(countsOf(await request.scores(layer), kvHeads * mean, safe));
  return counts;
};
