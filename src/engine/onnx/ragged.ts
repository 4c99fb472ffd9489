/**
 * Plain masked attention over any past. It comes as blocks [1, B, P, d]: B = KH when a layer's heads hold equally many entries, else
 * B = 1 with the heads' entries one after the other and a mask that keeps each query head to its own. So a ragged past is
 * read where it lies, without padding. A past whose entries are in several forms comes as several parts.
 *
 * S new tokens, H = KH * G query heads, KH KV heads, d head dimension, P past entries per block, T tail entries.
 */
import type { ModelConfig } from "../../model/config.ts";
import type { Graph, Value } from "../../onnx/graph.ts";
import { type AttentionOutputs, rotated, type TokenInputs } from "./attention.ts";

/** `pastBias` broadcasts to [H, S, P]; `newBias` is that of the tail and the new tokens, [1, S, T + S]. */
export type RaggedInputs = Omit<TokenInputs, "sizes">;

/** Some past entries, all in the same number of blocks as the others. */
export interface PastPart {
  /** [1, B, P', d], or [1, B, P', d'] where only some channels are kept. */
  readonly keys: Value;
  /** [1, B, P', d] */
  readonly values: Value;
  /** Each KV head's channels that are kept: int64 [KH, d']. */
  readonly channels?: Value;
  /** What keys and values are times those: [1, B, 1, P'], or broadcast to it. */
  readonly keyNorms?: Value;
  readonly valueNorms?: Value;
}

/** @param parts of the past, side by side in `pastBias`: P entries in all */
export function raggedAttention(
  g: Graph,
  { queryHeads, kvHeads, headDim }: ModelConfig,
  x: RaggedInputs,
  parts: readonly PastPart[] = [{ keys: x.pastKeys, values: x.pastValues }],
): AttentionOutputs {
  const { query, key, value } = rotated(g, { queryHeads, kvHeads, headDim }, x);
  const byHead = (rows: Value, heads: number) =>
    g.op("Transpose", [g.op("Reshape", [rows, g.ints(-1, heads, headDim)])], { perm: [1, 0, 2] }); // [heads, S, d]
  const [queries, keyByHead, valueByHead] = [byHead(query, queryHeads), byHead(key, kvHeads), byHead(value, kvHeads)];
  const perKvHead = g.op("Reshape", [queries, g.ints(kvHeads, -1, headDim)]);
  const count = (entries: Value, axis: number) => g.op("Shape", [entries], { start: axis, end: axis + 1 });
  const shape = (...dims: readonly Value[]) => g.op("Concat", dims, { axis: 0 });
  const rows = count(queries, 1);
  // A number for each entry is cheaper on its score, and on its weight, than on its key and value.
  const times = (perEntry: Value, norms: Value | undefined) =>
    norms === undefined ? perEntry : g.op("Mul", [perEntry, norms]);
  const score = (grouped: Value, { keys, values, keyNorms, valueNorms }: PastPart, entries: Value): Scored => {
    const product = g.msOp("FusedMatMul", [grouped, keys], { transB: 1, alpha: { float: 1 / Math.sqrt(headDim) } });
    const scaled = times(product, keyNorms);
    const scores = g.op("Reshape", [scaled, shape(g.ints(queryHeads), rows, entries)], { allowzero: 1 });
    const mix = (weights: Value) =>
      g.op("MatMul", [
        times(g.op("Reshape", [weights, g.op("Shape", [product])], { allowzero: 1 }), valueNorms),
        values,
      ]);
    return { scores, mix, entries };
  };
  const blocks = count(x.pastKeys, 1);
  const pasts = parts.map((part) => {
    const [seen, width] =
      part.channels === undefined
        ? [queries, g.ints(headDim)]
        : [picked(g, perKvHead, part.channels), count(part.keys, 3)];
    return score(g.op("Reshape", [seen, shape(blocks, g.ints(-1), width)]), part, count(part.keys, 2));
  });
  const keys = g.op("Concat", [x.tailKeys, keyByHead], { axis: 1 }); // [KH, T + S, d]
  const values = g.op("Concat", [x.tailValues, valueByHead], { axis: 1 });
  const fresh = score(perKvHead, { keys, values }, count(keys, 1));
  const side = (scored: readonly Scored[], bias: Value) => {
    const [first = bias, ...others] = scored.map(({ scores }) => scores);
    return g.op("Add", [others.length === 0 ? first : g.op("Concat", [first, ...others], { axis: 2 }), bias]);
  };
  const all = [...pasts, fresh];
  const joined = g.op("Concat", [side(pasts, x.pastBias), side([fresh], x.newBias)], { axis: 2 });
  const sizes = shape(...all.map(({ entries }) => entries));
  const weights = g.op("Softmax", [joined], { axis: -1 });
  const ofParts = g.ops("Split", [weights, sizes], all.length, { axis: 2 });
  const mixed = all.map(
    ({ mix }, i) => g.op("Reshape", [mix(ofParts[i] ?? joined), g.ints(queryHeads, -1, headDim)]), // [H, S, d]
  );
  const result = g.op("Transpose", [g.op("Sum", mixed)], { perm: [1, 0, 2] });
  const out = (entries: Value) => g.op("Unsqueeze", [entries, g.ints(0)]);
  return [result, out(keyByHead), out(valueByHead), g.op("Reshape", [weights, g.ints(1, queryHeads, -1)])];
}

/** Scores of some entries, [H, S, entries], and what weights on them, as many, make of the values. */
interface Scored {
  readonly scores: Value;
  readonly mix: (weights: Value) => Value;
  readonly entries: Value;
}

/** Each KV head's queries without the channels that its keys lack: [KH, rows, d] -> [KH, rows, d']. */
function picked(g: Graph, queries: Value, channels: Value): Value {
  const shape = g.op("Concat", [g.op("Shape", [queries], { end: 2 }), g.op("Shape", [channels], { start: 1 })], {
    axis: 0,
  });
  const everyRow = g.op("Expand", [g.op("Unsqueeze", [channels, g.ints(1)]), shape]);
  return g.op("GatherElements", [queries, everyRow], { axis: 2 });
}
