import { type Measured, measuredLayer } from "./measured.ts";
import { candidateColumns, observedMoments } from "./observed.ts";
import { principalDirection } from "./principal.ts";
import { meanRotation, turned } from "./rope.ts";
import type { LayerView, Score } from "./score.ts";

/** One direction for each layer and KV head, "filters": [L, KH, d]. */
export type Filters = Measured<"filters">;

/**
 * Q-Filters: how far each key reaches along its head's filter, the direction that queries share.
 *
 * @param filters measured on a corpus; null for the prompt's own: the main direction of its queries before RoPE (the first 4 left out),
 *   turned by the mean of RoPE over the prompt, averaged over the heads of a group
 * @see https://arxiv.org/abs/2503.02812
 */
export const queryFilter = (filters: Filters | null): Score => ({
  needs: filters === null ? { moments: true } : {},
  ...(filters === null ? {} : { namesHeads: true }),
  async evaluate(view) {
    const dims = [view.kvHeads, view.keys.dims[2] ?? 0];
    const data = filters === null ? ownFilters(view) : measuredLayer(filters, "filters", view.layer, dims);
    return candidateColumns(await view.kernels.projections(view.keys, { data, dims }), view); // [KH, to - from]
  },
});

/** [KH, d] */
function ownFilters(view: LayerView): Float32Array {
  const { sums, products } = observedMoments(view);
  const [heads = 0, , size = 0] = view.queries.dims;
  const group = heads / view.kvHeads;
  const end = 1 + view.positions.reduce((most, at) => Math.max(most, at), -1);
  const rotation = meanRotation(view.frequencies, 0, end);
  const filters = new Float32Array(view.kvHeads * size);
  for (let h = 0; h < heads; h++) {
    const own = products.subarray(h * size ** 2, (h + 1) * size ** 2);
    const direction = turned(principalDirection(own, sums.subarray(h * size, (h + 1) * size)), rotation);
    const at = Math.floor(h / group) * size;
    for (const [c, value] of direction.entries()) filters[at + c] = (filters[at + c] ?? 0) + value / group;
  }
  return filters;
}
