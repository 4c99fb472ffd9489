import { row } from "../../kernels/tensor.ts";
import { invalid } from "../options.ts";
import { lastQueries } from "../scoring/observed.ts";
import { eachLayer } from "./each-layer.ts";
import { overLayers } from "./over-layers.ts";
import type { Schedule } from "./schedule.ts";
import { withFloor } from "./share-out.ts";

export interface LayerUncertaintyOptions {
  /** Last queries whose attention is looked at, >= 1. */
  readonly window: number;
  /** How much of the attention must be kept, in (0, 1]; default 0.9. */
  readonly share?: number;
  /** The part of the budget that all layers have alike, in [0, 1]; default 0.2. */
  readonly floor?: number;
}

/**
 * ZigZagKV's schedule: layers that need many entries to keep most of their attention get more.
 *
 * A layer's uncertainty is the least number of keys that together have `share` of what the window's queries give to the keys before them,
 * averaged over query heads. Every layer has `floor` of the mean, and the rest goes in proportion; the heads of a layer have the same.
 *
 * @throws KvError `invalid_option` for other options
 * @see https://arxiv.org/abs/2412.09036
 */
export function layerUncertainty({ window, share = 0.9, floor = 0.2 }: LayerUncertaintyOptions): Schedule {
  const path = "layerUncertainty";
  if (!(Number.isSafeInteger(window) && window >= 1)) throw invalid([path, "window"], window, "an integer >= 1");
  if (!(share > 0 && share <= 1)) throw invalid([path, "share"], share, "a number in (0, 1]");
  if (!(floor >= 0 && floor <= 1)) throw invalid([path, "floor"], floor, "a number in [0, 1]");
  const schedule: Schedule = async (request) => {
    const needed = await eachLayer(request, async (view) => {
      const mass = await view.kernels.windowAttention(lastQueries(view, window), view.keys, view);
      const [heads = 0] = mass.dims;
      const counts = Array.from({ length: heads }, (_, head) => leastKeys(row(mass, head), share));
      return counts.reduce((total, count) => total + count, 0) / heads;
    });
    return overLayers(withFloor(needed, floor), request);
  };
  return Object.assign(schedule, { needs: { queries: window } });
}

/** How many of the largest together have a share of the sum. */
export function leastKeys(mass: Float32Array, share: number): number {
  const sorted = mass.toSorted().reverse();
  const enough = share * sorted.reduce((total, one) => total + one, 0);
  let [count, sum] = [0, 0];
  while (count < sorted.length && sum < enough) sum += sorted[count++] ?? 0;
  return count;
}
