/** Puts into kept entries what a merge takes from evicted ones. */
import type { Stored } from "../../kernels/index.ts";
import { type LayerEntries, offsetsOf } from "../cache/layer.ts";
import type { Merge, MergeView, Pairs } from "./merge.ts";

/** Kept keys and values with the evicted ones merged into them: [sum of kept, d] each. */
export async function mixed(
  merge: Merge,
  view: MergeView,
  kept: Pick<LayerEntries, "keys" | "values">,
): Promise<Pick<LayerEntries, "keys" | "values">> {
  const pairs = await merge.pair(view);
  const mix = async (entries: Float32Array, all: Stored) =>
    mixSide(merge, view, pairs, entries, (await view.kernels.read(all)).data);
  return {
    keys: merge.sides === "values" ? kept.keys : await mix(kept.keys, view.keys),
    values: await mix(kept.values, view.values),
  };
}

/** @param all what was held before the selection: [KH, n, d] */
function mixSide(
  merge: Merge,
  { kept, length, keys }: MergeView,
  pairs: readonly Pairs[],
  entries: Float32Array,
  all: Float32Array,
): Float32Array {
  const size = keys.dims[2] ?? 0;
  const offsets = offsetsOf(kept.map((rows) => rows.length));
  const result = entries.slice();
  for (const [head, { rows, places, nearness }] of pairs.entries()) {
    for (const [place, group] of groups(places)) {
      const { own, others } = merge.weigh(group.map((i) => nearness[i] ?? 0));
      const to = ((offsets[head] ?? 0) + place) * size;
      for (let c = 0; c < size; c++) result[to + c] = own * (result[to + c] ?? 0);
      for (const [j, i] of group.entries()) {
        const from = (head * length + (rows[i] ?? 0)) * size;
        const weight = others[j] ?? 0;
        for (let c = 0; c < size; c++) result[to + c] = (result[to + c] ?? 0) + weight * (all[from + c] ?? 0);
      }
    }
  }
  return result;
}

/** Indices of equal places together. */
function groups(places: readonly number[]): ReadonlyMap<number, readonly number[]> {
  const found = new Map<number, number[]>();
  for (const [i, place] of places.entries()) {
    const group = found.get(place);
    if (group === undefined) found.set(place, [i]);
    else group.push(i);
  }
  return found;
}
