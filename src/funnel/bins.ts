/** Bins along a prompt: a picture has fewer columns than a long prompt has tokens. Bin b holds positions edges[b] .. edges[b + 1] - 1. */
import { invalid } from "../options.ts";

/** Ascending, from 0 to the prompt's length: [bins + 1]. */
export type Edges = readonly number[];

/** Edges of `bins` bins whose sizes differ by one at most; no more bins than tokens. */
export function evenEdges(length: number, bins: number): Edges {
  const count = Math.min(bins, length);
  return Array.from({ length: count + 1 }, (_, i) => Math.floor((i * length) / count));
}

/** Sums of one value per position over each bin. What lies beyond the last edge is left out. */
export function binned(values: ArrayLike<number>, edges: Edges): readonly number[] {
  return edges.slice(1).map((end, b) => {
    let sum = 0;
    for (let j = edges[b] ?? 0; j < end; j++) sum += values[j] ?? 0;
    return sum;
  });
}

/** @throws KvError `invalid_option` unless the edges are integers that ascend from 0 */
export function checkEdges(edges: Edges, owner: string): void {
  for (const [i, edge] of edges.entries()) {
    const least = i === 0 ? 0 : (edges[i - 1] ?? 0) + 1;
    if (!Number.isSafeInteger(edge) || edge < least || (i === 0 && edge !== 0))
      throw invalid([owner, "edges", i], edge, i === 0 ? "0" : `an integer >= ${least}: edges ascend`);
  }
}
