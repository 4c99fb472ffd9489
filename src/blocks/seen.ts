/** What was seen, block by block, of the attention to entries that are still held. */

import type { PrefillResult } from "../engine/index.ts";
import type { Selection } from "../methods/select.ts";
import type { ModelConfig } from "../model/config.ts";
import type { Observation, QueryMoments } from "../observation.ts";
import type { Tensor } from "../tensor.ts";

export interface Seen {
  /** Of each layer the last queries, from several blocks if need be: [H, count, d]. */
  readonly queries: readonly Tensor[];
  /**
   * Of each layer, [H, entries]: the attention that each entry received since it came; null if not observed. fp64, as within a
   * block, so that blocks add up to what one prefill observes.
   */
  readonly columnTotals: readonly Float64Array[] | null;
  /** Of each layer, of all queries so far; null if not observed. */
  readonly moments: readonly QueryMoments[] | null;
}

export const NOTHING_SEEN: Seen = { queries: [], columnTotals: null, moments: null };

/**
 * Adds what a block of `count` tokens showed.
 *
 * @param most queries to remember
 */
export function withBlock(
  { queryHeads, headDim }: ModelConfig,
  seen: Seen,
  result: Pick<PrefillResult, "queries" | "columnSums" | "moments">,
  count: number,
  most: number,
): Seen {
  const queries = result.queries.map((data, layer) => {
    const fresh = { data, dims: [queryHeads, data.length / (queryHeads * headDim), headDim] };
    return lastOf(seen.queries[layer], fresh, most);
  });
  const columnTotals = result.columnSums?.map((sums, layer) => {
    const before = sums.length / queryHeads - count;
    return plus(sums, seen.columnTotals?.[layer], before, count);
  });
  const moments = result.moments?.map((fresh, layer) => added(fresh, seen.moments?.[layer]));
  return { queries, columnTotals: columnTotals ?? null, moments: moments ?? null };
}

function added(fresh: QueryMoments, before: QueryMoments | undefined): QueryMoments {
  if (before === undefined) return fresh;
  return {
    count: fresh.count + before.count,
    sums: fresh.sums.map((sum, i) => sum + (before.sums[i] ?? 0)),
    products: fresh.products.map((sum, i) => sum + (before.products[i] ?? 0)),
  };
}

/**
 * Forgets the entries that are not selected. Of the queries only the last `window` are remembered, those whose tokens every head
 * still holds as its last: scores take the last queries for those of the last entries.
 */
export function withOnly(
  { queryHeads }: ModelConfig,
  { queries, columnTotals, moments }: Seen,
  selection: Selection,
  window: number,
): Seen {
  return {
    queries: queries.map((layer) => tail(layer, window)),
    columnTotals: columnTotals?.map((totals, layer) => pick(totals, queryHeads, selection[layer] ?? [])) ?? null,
    moments,
  };
}

/** As a method's score looks at it. */
export function observationOf({ queryHeads }: ModelConfig, { queries, columnTotals, moments }: Seen): Observation {
  const columnSums = columnTotals?.map((totals) => ({
    data: Float32Array.from(totals),
    dims: [queryHeads, totals.length / queryHeads],
  }));
  return { queries, columnSums: columnSums ?? null, moments, probes: new Map() };
}

/** Sums [H, before + count], plus the totals [H, before] of the entries that were there before. */
function plus(sums: Float32Array, totals: Float64Array | undefined, before: number, count: number): Float64Array {
  const width = before + count;
  return Float64Array.from(sums, (sum, i) => {
    const [head, entry] = [Math.floor(i / width), i % width];
    return entry < before ? sum + (totals?.[head * before + entry] ?? 0) : sum;
  });
}

/** Of totals [H, entries] each query head's part for the entries that its KV head keeps: [H, kept]. */
function pick(totals: Float64Array, heads: number, rows: Selection[number]): Float64Array {
  const length = totals.length / heads;
  const kept = rows[0]?.length ?? 0;
  const picked = new Float64Array(heads * kept);
  for (let head = 0; head < heads; head++) {
    const own = rows[Math.floor((head * rows.length) / heads)] ?? [];
    for (const [i, row] of own.entries()) picked[head * kept + i] = totals[head * length + row] ?? 0;
  }
  return picked;
}

/** The last `count` of earlier and fresh queries together: [H, count at most, d]. */
function lastOf(earlier: Tensor | undefined, fresh: Tensor, count: number): Tensor {
  const [heads = 0, added = 0, size = 0] = fresh.dims;
  if (earlier === undefined || added >= count) return tail(fresh, count);
  const before = tail(earlier, count - added);
  const [, kept = 0] = before.dims;
  const width = kept + added;
  const data = new Float32Array(heads * width * size);
  for (let head = 0; head < heads; head++) {
    data.set(before.data.subarray(head * kept * size, (head + 1) * kept * size), head * width * size);
    data.set(fresh.data.subarray(head * added * size, (head + 1) * added * size), (head * width + kept) * size);
  }
  return { data, dims: [heads, width, size] };
}

/** The last `count` rows of each head at most: [H, rows, d]. */
function tail(queries: Tensor, count: number): Tensor {
  const [heads = 0, rows = 0, size = 0] = queries.dims;
  if (rows <= count) return queries;
  const data = new Float32Array(heads * count * size);
  for (let head = 0; head < heads; head++) {
    const end = (head + 1) * rows * size;
    data.set(queries.data.subarray(end - count * size, end), head * count * size);
  }
  return { data, dims: [heads, count, size] };
}
