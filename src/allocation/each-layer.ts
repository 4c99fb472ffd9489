import type { LayerView } from "../scoring/score.ts";
import type { ScheduleRequest } from "./schedule.ts";

/** A number of each layer, lowest first: one layer is looked at after the other, so that they need not all be in memory. */
export async function eachLayer(
  { layers, view }: Pick<ScheduleRequest, "layers" | "view">,
  measure: (view: LayerView) => Promise<number>,
): Promise<readonly number[]> {
  const measured: number[] = [];
  for (let layer = 0; layer < layers; layer++) measured.push(await measure(await view(layer)));
  return measured;
}
