/**
 * Attention reduced over queries on a GPU, in two passes: what each query's softmax divides by, then every key's column. Nothing is
 * added atomically, so results are the same from run to run.
 */
import type { Source } from "../../src/gpu/index.ts";
import type { AttentionShape } from "../shapes.ts";
import type { Stored, Tensor, Visibility } from "../tensor.ts";
import { type GpuArrays, type GpuTensor, grid, MOST_GROUPS, parameters, run } from "./arrays.ts";
import columnsCode from "./columns.wgsl" with { type: "text" };
import joinRowsCode from "./join-rows.wgsl" with { type: "text" };
import rowsCode from "./rows.wgsl" with { type: "text" };
import scoresCode from "./scores.wgsl" with { type: "text" };

/** Keys of a workgroup's tile, and of one stretch of a row. */
export const TILE = 64;
const SPLIT = 1024;
/** Queries that are looked at together. */
const ROWS = 8;

/** What the queries see: earlier keys, or those of their own chunk. */
export interface Attention {
  readonly shape: AttentionShape;
  readonly queries: GpuTensor;
  readonly keys: GpuTensor;
  /** Rows of each head's keys, of which the first `shape.length` count; default: those. */
  readonly stride?: number;
  readonly slidingWindow: number | null;
  /** Positions of a chunk, whose attention is in both directions; null for causal attention. */
  readonly chunk: number | null;
  /** What products are multiplied with. */
  readonly scale: number;
}

/** Causal attention over arguments that are brought to the device, and freed with it. */
export function causal(
  arrays: GpuArrays,
  shape: AttentionShape,
  queries: Tensor,
  keys: Stored,
  { slidingWindow }: Visibility,
): Attention & Disposable {
  const [q, k] = [arrays.vectors(queries, "queries"), arrays.vectors(keys, "keys")];
  return { shape, queries: q, keys: k, slidingWindow, chunk: null, scale: 1 / Math.sqrt(shape.size), ...freeing(q, k) };
}

/** Frees some arrays together. */
export const freeing = (...arrays: readonly Disposable[]): Disposable => ({
  [Symbol.dispose]() {
    for (const array of arrays) array[Symbol.dispose]();
  },
});

/** A program over scores: its own code after what gives it its scores. */
export const overScores = ({ shape }: Attention, source: Pick<Source, "name" | "code" | "access">): Source => ({
  ...source,
  code: `${scoresCode}\n${source.code}`,
  access: ["read", "read", ...source.access],
  constants: { D4: Math.ceil(shape.size / 4), ROWS, SPLIT },
  parameters: true,
});

/** Parameters of such a program, in the order of `Shape`. @param columns keys that are given one */
export function shapeOf(
  { shape, stride, slidingWindow, chunk, scale }: Attention,
  columns = shape.length,
): Uint32Array {
  const { heads, group, queries, length } = shape;
  const tiles = Math.ceil(length / TILE);
  const seen = [slidingWindow ?? 0, chunk ?? 0];
  return parameters(heads, group, queries, length, stride ?? length, ...seen, splitsOf(length), tiles, columns, {
    float: scale,
  });
}

const splitsOf = (length: number): number => Math.ceil(length / SPLIT);

/** The logarithm of what each query's softmax divides by: [H, s]. */
export function divisors(arrays: GpuArrays, attention: Attention): GpuTensor {
  const { heads, queries, length } = attention.shape;
  const splits = splitsOf(length);
  using partial = arrays.empty("partial divisors", heads * queries, splits, 2);
  const rows = overScores(attention, { name: "attention rows", code: rowsCode, access: ["write"] });
  const tiles = [splits, Math.ceil(queries / ROWS), heads] as const;
  run(arrays, rows, [attention.queries, attention.keys, partial], tiles, shapeOf(attention));
  const joined = arrays.empty("divisors", heads, queries);
  const join: Source = {
    name: "join rows",
    code: joinRowsCode,
    access: ["read", "write"],
    constants: { MOST_GROUPS },
    parameters: true,
  };
  run(arrays, join, [partial, joined], grid(heads * queries, 64), parameters(heads * queries, splits));
  return joined;
}

/**
 * Attention to each key, reduced over the queries that see it: [H, n].
 *
 * @param join WGSL's body of join(before: f32, attention: f32, seen: f32): what the key has after one more query, which sees so many keys
 * @param count of keys that are given a column, the first ones; default: all
 */
export function attentionColumns(
  arrays: GpuArrays,
  name: string,
  attention: Attention,
  join: string,
  count = attention.shape.length,
): GpuTensor {
  const { heads } = attention.shape;
  using rows = divisors(arrays, attention);
  const columns = arrays.empty(name, heads, count);
  const code = `fn join(before: f32, attention: f32, seen: f32) -> f32 { ${join} }\n${columnsCode}`;
  const source = overScores(attention, { name, code, access: ["read", "write"] });
  const tiles = [Math.ceil(count / TILE), heads] as const;
  run(arrays, source, [attention.queries, attention.keys, rows, columns], tiles, shapeOf(attention, count));
  return columns;
}
