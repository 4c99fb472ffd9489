import type { KvCache } from "../cache/cache.ts";
import { binned, checkEdges, type Edges, evenEdges } from "./bins.ts";

/**
 * What a cache kept of its prompt: for each layer and bin, the share of its positions that are held, averaged over KV heads; 1 where
 * every head holds every position.
 *
 * @param edges bins, such as a funnel's; default every position that the cache has seen
 * @returns [layers][bins]
 * @throws KvError `invalid_option` for edges that do not ascend from 0, `disposed`
 */
export function retained(
  cache: KvCache,
  edges: Edges = evenEdges(cache.length, cache.length),
): readonly (readonly number[])[] {
  checkEdges(edges, "retained");
  const { layers, kvHeads } = cache.geometry;
  return Array.from({ length: layers }, (_, layer) => {
    const holders = new Float64Array(cache.length);
    for (let head = 0; head < kvHeads; head++) {
      for (const position of cache.positions(layer, head)) holders[position] = (holders[position] ?? 0) + 1;
    }
    return binned(holders, edges).map((held, b) => held / (kvHeads * ((edges[b + 1] ?? 0) - (edges[b] ?? 0))));
  });
}
