import type { KvCache } from "../cache/cache.ts";
import { binned, checkEdges, type Edges, evenEdges } from "./bins.ts";

/**
 * What a cache kept of its prompt: for each layer and bin, the share of its tokens that are held, averaged over KV heads; 1 where
 * every head holds every token. Packed positions are told by where they come from.
 *
 * @param edges bins, such as a funnel's; default every token that the cache has seen
 * @returns [layers][bins]
 * @throws KvError `invalid_option` for edges that do not ascend from 0, `disposed`
 */
export function retained(
  cache: KvCache,
  edges: Edges = evenEdges(cache.seen, cache.seen),
): readonly (readonly number[])[] {
  checkEdges(edges, "retained");
  const { layers, kvHeads } = cache.geometry;
  return Array.from({ length: layers }, (_, layer) => {
    const holders = new Float64Array(cache.seen);
    for (let head = 0; head < kvHeads; head++) {
      for (const place of cache.origins(layer, head)) holders[place] = (holders[place] ?? 0) + 1;
    }
    return binned(holders, edges).map((held, b) => held / (kvHeads * ((edges[b + 1] ?? 0) - (edges[b] ?? 0))));
  });
}
