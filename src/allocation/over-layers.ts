import { type Counts, type ScheduleSizes, sameForHeads } from "./schedule.ts";
import { shareOut } from "./share-out.ts";

/** Counts in proportion to a weight for each layer, the same for the heads of a layer. */
export const overLayers = (weights: readonly number[], { layers, kvHeads, mean, limit }: ScheduleSizes): Counts =>
  sameForHeads(shareOut(weights, Math.min(mean, limit) * layers, limit), kvHeads);

/** Counts in proportion to a weight for each head of each layer, [layers][kvHeads]. */
export function overHeads(weights: Counts, { layers, kvHeads, mean, limit }: ScheduleSizes): Counts {
  const counts = shareOut(weights.flat(), Math.min(mean, limit) * layers * kvHeads, limit);
  return weights.map((_, layer) => counts.slice(layer * kvHeads, (layer + 1) * kvHeads));
}
