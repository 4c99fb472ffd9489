/** What the blocks of a prompt have left so far: entries at true positions, and what was observed of the attention to them. */
import { entriesOf } from "../compress.ts";
import type { Choosable } from "../context.ts";
import type { PrefillResult } from "../engine/index.ts";
import type { Model } from "../load.ts";
import type { Selection } from "../methods/select.ts";
import type { Tensor } from "../tensor.ts";

export interface Held extends Choosable {
  /** Tokens seen so far, held or not: the true position of the next one. */
  readonly position: number;
  /** Logits after the last token: [vocab]. */
  readonly logits: Float32Array;
  /**
   * Of each layer, [H, length]: the attention that each entry received since it came; null if not observed. fp64, as within a
   * block, so that blocks add up to what one prefill observes.
   */
  readonly columnTotals: readonly Float64Array[] | null;
}

export const nothingHeld = (model: Model): Held => ({
  model,
  length: 0,
  layers: [],
  observation: { queries: [], columnSums: null },
  position: 0,
  logits: new Float32Array(0),
  columnTotals: null,
});

/** Takes in a block of `count` tokens. Of the queries, the last `lastQueries` are remembered, from earlier blocks if need be. */
export function withBlock(held: Held, result: PrefillResult, count: number, lastQueries: number): Held {
  const { queryHeads, headDim } = held.model.config;
  const length = held.length + count;
  const queries = result.queries.map((data, layer) => {
    const fresh = { data, dims: [queryHeads, data.length / (queryHeads * headDim), headDim] };
    return lastOf(held.observation.queries[layer], fresh, lastQueries);
  });
  const columnTotals =
    result.columnSums?.map((sums, layer) => plus(sums, held.columnTotals?.[layer], held.length, count)) ?? null;
  return {
    model: held.model,
    length,
    layers: result.layers,
    observation: { queries, columnSums: columnTotals?.map((totals) => columns(totals, length)) ?? null },
    position: held.position + count,
    logits: result.logits,
    columnTotals,
  };
}

/**
 * Lets go of all that is not selected. Of the queries only the last `window` are remembered, those whose tokens every head still
 * holds as its last: scores take the last queries for those of the last entries.
 *
 * @param selection equally many for every layer and head
 */
export async function withOnly(held: Held, selection: Selection, window: number): Promise<Held> {
  const length = selection[0]?.[0]?.length ?? 0;
  const columnTotals =
    held.columnTotals?.map((totals, layer) => pick(totals, held.length, selection[layer] ?? [])) ?? null;
  return {
    ...held,
    length,
    layers: await entriesOf(held, selection),
    observation: {
      queries: held.observation.queries.map((queries) => tail(queries, window)),
      columnSums: columnTotals?.map((totals) => columns(totals, length)) ?? null,
    },
    columnTotals,
  };
}

const columns = (totals: Float64Array, length: number): Tensor => ({
  data: Float32Array.from(totals),
  dims: [totals.length / length, length],
});

/** Sums [H, before + count], plus the totals [H, before] of the entries that were there before. */
function plus(sums: Float32Array, totals: Float64Array | undefined, before: number, count: number): Float64Array {
  const width = before + count;
  return Float64Array.from(sums, (sum, i) => {
    const [head, entry] = [Math.floor(i / width), i % width];
    return entry < before ? sum + (totals?.[head * before + entry] ?? 0) : sum;
  });
}

/** Of totals [H, length] each query head's part for the entries that its KV head keeps: [H, kept]. */
function pick(totals: Float64Array, length: number, rows: Selection[number]): Float64Array {
  const heads = totals.length / length;
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
