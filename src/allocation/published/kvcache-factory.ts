import { countsOf, sortedRows } from "../adaptive-heads.ts";
import { type FixedSchedule, type Schedule, sameForHeads } from "../schedule.ts";
import { uniform } from "../uniform.ts";
import { floorDivide, roundHalfEven } from "./python.ts";

/**
 * KVCache-Factory's pyramid, as its code computes it. It overspends: the floored step lets every layer above the lowest keep
 * more than the ramp says (budget 64, 30 layers: 118 .. 31 entries, 74.5 on average). Prompts shorter than twice the scored
 * budget are uniform. One layer, where its code divides by zero, is uniform too.
 *
 * @see https://github.com/Zefan-Cai/KVCache-Factory
 */
export const kvcacheFactoryPyramid =
  ({ beta = 20 }: { readonly beta?: number } = {}): FixedSchedule =>
  (request) => {
    const { layers, kvHeads, mean: base, limit, kept } = request;
    if (limit + kept < 2 * base || layers === 1) return uniform()(request);
    const low = floorDivide(base, beta);
    const high = 2 * base - low;
    const [top, bottom] = high >= limit ? [2 * base - limit, limit] : [low, high];
    const step = floorDivide(bottom - top, layers - 1);
    return sameForHeads(
      Array.from({ length: layers }, (_, layer) => bottom - layer * step),
      kvHeads,
    );
  };

/**
 * KVCache-Factory's AdaKV, as its code computes it: a head's scores are first weighted by the share of its mass that its own top `mean`
 * hold, and four fifths of what each head wins are rounded, head by head, on top of a fifth of the mean. So a layer's total may drift by
 * a few entries.
 *
 * @see https://github.com/Zefan-Cai/KVCache-Factory
 */
export const kvcacheFactoryAdaptive = (): Schedule => async (request) => {
  const { layers, mean, limit, kvHeads } = request;
  const counts: number[][] = [];
  for (let layer = 0; layer < layers; layer++) {
    const weighted = sortedRows(await request.scores(layer)).map((row) => {
      const share = sum(row.subarray(0, mean)) / sum(row);
      return row.map((score) => score * share);
    });
    const data = Float32Array.from(weighted.flatMap((row) => [...row]));
    const won = countsOf({ data, dims: [kvHeads, limit] }, kvHeads * mean, 0);
    counts.push(won.map((count) => Math.min(limit, roundHalfEven(0.8 * count + Math.trunc(0.2 * mean)))));
  }
  return counts;
};

const sum = (numbers: Float32Array): number => numbers.reduce((total, number) => total + number, 0);
