import { type Schedule, sameForHeads } from "../schedule.ts";
import { uniform } from "../uniform.ts";
import { floorDivide } from "./python.ts";

/**
 * KVCache-Factory's pyramid, as its code computes it. It overspends: the floored step lets every layer above the lowest keep
 * more than the ramp says (budget 64, 30 layers: 118 .. 31 entries, 74.5 on average). Prompts shorter than twice the scored
 * budget are uniform. One layer, where its code divides by zero, is uniform too.
 *
 * @see https://github.com/Zefan-Cai/KVCache-Factory
 */
export const kvcacheFactoryPyramid =
  ({ beta = 20 }: { readonly beta?: number } = {}): Schedule =>
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
