/**
 * The attentions of the decoder graph, behind one `If`, so that one session with one copy of the weights serves them all: the
 * two here and that of batches (batch/attention.ts).
 *
 * - `flashAttention`: onnxruntime's GroupQueryAttention. The past is uniform (every head holds every position) and memory
 *   stays linear in the prompt: prefill.
 * - `raggedAttention`: plain masked attention over a compressed past and a tail of generated entries. The past comes as
 *   blocks [B, P, d]: B = KH when a layer's heads hold equally many entries, else B = 1 with the heads' entries one after
 *   the other and a mask that keeps each query head to its own. So a ragged past is read where it lies, without padding.
 *
 * S new tokens, H query heads, KH KV heads, d head dimension, P past entries per block, T tail entries.
 */
import type { ModelConfig } from "../../model/config.ts";
import type { Graph, Value } from "../../onnx/graph.ts";

export interface AttentionInputs {
  /** New queries, keys and values after RoPE: [1, S, H * d] and [1, S, KH * d]. */
  readonly query: Value;
  readonly key: Value;
  readonly value: Value;
  /** The new keys and values by head: [KH, S, d]. */
  readonly keyByHead: Value;
  readonly valueByHead: Value;
  /** [B, P, d] */
  readonly pastKeys: Value;
  readonly pastValues: Value;
}

export interface FlashInputs extends AttentionInputs {
  /** Length of past and new tokens minus one, int32 [1]; and their total length, int32 []. */
  readonly lastPosition: Value;
  readonly totalLength: Value;
}

export interface RaggedInputs extends AttentionInputs {
  /** [KH, T, d] */
  readonly tailKeys: Value;
  readonly tailValues: Value;
  /** Added to the scores of the past: broadcasts to [H, S, P]. */
  readonly pastBias: Value;
  /** Added to the scores of the tail and the new tokens: [1, S, T + S]. */
  readonly newBias: Value;
}

/** -> [S, H * d] */
export function flashAttention(g: Graph, config: ModelConfig, slidingWindow: number | null, x: FlashInputs): Value {
  const past = (blocks: Value) => g.op("Unsqueeze", [blocks, g.ints(0)]);
  const inputs = [
    x.query,
    x.key,
    x.value,
    past(x.pastKeys),
    past(x.pastValues),
    x.lastPosition,
    x.totalLength,
  ] as const;
  const [output] = g.ops(
    "GroupQueryAttention",
    inputs,
    3,
    {
      num_heads: config.queryHeads,
      kv_num_heads: config.kvHeads,
      ...(slidingWindow === null ? {} : { local_window_size: slidingWindow }),
    },
    "com.microsoft",
  );
  return g.op("Reshape", [output, g.ints(-1, config.queryHeads * config.headDim)]);
}

/** -> [S, H * d] */
export function raggedAttention(g: Graph, { queryHeads, kvHeads, headDim }: ModelConfig, x: RaggedInputs): Value {
  const scale = { float: 1 / Math.sqrt(headDim) };
  const byHead = g.op("Transpose", [g.op("Reshape", [x.query, g.ints(-1, queryHeads, headDim)])], { perm: [1, 0, 2] }); // [H, S, d]
  const blocks = g.op("Shape", [x.pastKeys], { start: 0, end: 1 });
  const perBlock = g.op("Concat", [blocks, g.ints(-1, headDim)], { axis: 0 });
  const keys = g.op("Concat", [x.tailKeys, x.keyByHead], { axis: 1 }); // [KH, T + S, d]
  const values = g.op("Concat", [x.tailValues, x.valueByHead], { axis: 1 });
  const count = (entries: Value, axis: number) => g.op("Shape", [entries], { start: axis, end: axis + 1 });
  const scores = (queries: Value, entries: Value) => {
    const product = g.msOp("FusedMatMul", [queries, entries], { transB: 1, alpha: scale });
    const shape = g.op("Concat", [g.ints(queryHeads, -1), count(entries, 1)], { axis: 0 });
    return g.op("Reshape", [product, shape]); // [H, S, entries]
  };
  const past = g.op("Add", [scores(g.op("Reshape", [byHead, perBlock]), x.pastKeys), x.pastBias]);
  const fresh = g.op("Add", [scores(g.op("Reshape", [byHead, g.ints(kvHeads, -1, headDim)]), keys), x.newBias]);
  const weights = g.op("Softmax", [g.op("Concat", [past, fresh], { axis: 2 })], { axis: -1 });
  const sizes = g.op("Concat", [count(x.pastKeys, 1), count(keys, 1)], { axis: 0 });
  const [onPast, onFresh] = g.ops("Split", [weights, sizes], 2, { axis: 2 });
  const mix = (part: Value | undefined, groups: Value, entries: Value) => {
    const shape = g.op("Concat", [groups, g.ints(-1), count(entries, 1)], { axis: 0 });
    const product = g.op("MatMul", [g.op("Reshape", [part ?? weights, shape]), entries]);
    return g.op("Reshape", [product, g.ints(queryHeads, -1, headDim)]); // [H, S, d]
  };
  const sum = g.op("Add", [mix(onPast, blocks, x.pastValues), mix(onFresh, g.ints(kvHeads), values)]);
  return g.op("Reshape", [g.op("Transpose", [sum], { perm: [1, 0, 2] }), g.ints(-1, queryHeads * headDim)]);
}
