import { invalid } from "../options.ts";
import { checkShape, ofLayers } from "./head-scores.ts";
import { overLayers } from "./over-layers.ts";
import type { FixedSchedule } from "./schedule.ts";

/**
 * A schedule from a list: each layer has its share of the budget, lowest layer first, and its heads have the same. The numbers count
 * relative to each other: `layerShares([2, 1, 1])` gives half of all scored entries to the lowest of three layers.
 *
 * @param shares one for each layer, finite, >= 0
 * @throws KvError `invalid_option` for other numbers; when used, `wrong_shape` on a model of another number of layers
 */
export function layerShares(shares: readonly number[]): FixedSchedule {
  const path = ["layerShares", "shares"];
  if (shares.length === 0) throw invalid(path, shares, "one number for each layer");
  for (const [layer, share] of shares.entries())
    if (!(Number.isFinite(share) && share >= 0)) throw invalid([...path, layer], share, "a finite number >= 0");
  return (sizes) => {
    checkShape(path, [shares.length], [sizes.within?.depth ?? sizes.layers]);
    return overLayers(ofLayers(shares, sizes), sizes);
  };
}
