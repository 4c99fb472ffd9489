/**
 * The attentions of the decoder graph, each a branch of one `If`, so that one session with one copy of the weights serves them
 * all: the two here, those over any past (ragged.ts) and over compact forms (compact/attention.ts), and that of batches
 * (batch/attention.ts).
 *
 * - `flashAttention`: onnxruntime's GroupQueryAttention. The past is uniform (heads hold equally many entries) and memory
 *   stays linear in the prompt: prefill. It can give the attention that each key receives, at the price of a chunk's
 *   probabilities in memory.
 * - `tokenAttention`: one token over a compressed past whose heads hold equally many entries in every layer, in as few nodes
 *   as possible, because each costs a microsecond or two and a step has tens of them in every layer.
 *
 * S new tokens, H = KH * G query heads, KH KV heads, d head dimension, P past entries per block, T tail entries.
 */
import type { ModelConfig } from "../../model/config.ts";
import type { Graph, Value } from "../../onnx/graph.ts";

const END = Number.MAX_SAFE_INTEGER;

/** What every attention gives: its result of S * H * d numbers, the new keys and values, and the attention that keys received (or anything). */
export type AttentionOutputs = readonly [result: Value, keys: Value, values: Value, sums: Value];

export interface AttentionInputs {
  /** New queries, keys and values, all but RoPE done, side by side: [1, S, (H + 2 KH) * d]. */
  readonly joint: Value;
  /** [M, d/2], and the tokens' positions: int64 [1, S]. */
  readonly cos: Value;
  readonly sin: Value;
  readonly positions: Value;
  /** [1, B, P, d] */
  readonly pastKeys: Value;
  readonly pastValues: Value;
}

export interface FlashInputs extends AttentionInputs {
  /** Length of past and new tokens minus one, int32 [1]; and their total length, int32 []. */
  readonly lastPosition: Value;
  readonly totalLength: Value;
  /** -S: where the new entries begin, counted from the end. int64 [1] */
  readonly newFrom: Value;
}

export interface TokenInputs extends AttentionInputs {
  /** [KH, T, d] */
  readonly tailKeys: Value;
  readonly tailValues: Value;
  /** Added to the scores of the past: broadcasts to [KH, G, P]. */
  readonly pastBias: Value;
  /** Added to the scores of the tail and the new token: [1, 1, T + 1]. */
  readonly newBias: Value;
  /** The numbers P, T and 1: int64 [3]. */
  readonly sizes: Value;
}

/** @param sums whether to give the attention that every key received, [1, H, total] */
export function flashAttention(
  g: Graph,
  config: ModelConfig,
  slidingWindow: number | null,
  x: FlashInputs,
  sums: boolean,
): AttentionOutputs {
  // The operator's own RoPE takes the joint rows as they come, but only head dimensions of whole vectors.
  const turns = config.headDim % 16 === 0;
  const { query, key, value } = turns ? ({ query: x.joint, key: "", value: "" } as const) : rotated(g, config, x);
  const past = [x.pastKeys, x.pastValues, x.lastPosition, x.totalLength] as const;
  const [result, keys = result, values = result, probabilities] = g.ops(
    "GroupQueryAttention",
    [query, key, value, ...past, ...(turns ? [x.cos, x.sin, x.positions] : [])],
    sums ? 4 : 3,
    {
      num_heads: config.queryHeads,
      kv_num_heads: config.kvHeads,
      ...(turns ? { do_rotary: 1 } : {}),
      ...(slidingWindow === null ? {} : { local_window_size: slidingWindow }),
      ...(sums ? { qk_output: 2 } : {}),
    },
    "com.microsoft",
  );
  const fresh = (present: Value) => g.op("Slice", [present, x.newFrom, g.ints(END), g.ints(2)]);
  const columns =
    probabilities === undefined ? nothing(g) : g.op("ReduceSum", [probabilities, g.ints(2)], { keepdims: 0 });
  return [result, fresh(keys), fresh(values), columns];
}

/** @param sliding whether the layer has a sliding window, so that entries of the past may be out of sight */
export function tokenAttention(
  g: Graph,
  { queryHeads, kvHeads, headDim }: ModelConfig,
  sliding: boolean,
  x: TokenInputs,
): AttentionOutputs {
  const fresh = rotated(g, { queryHeads, kvHeads, headDim }, x);
  const byHead = (row: Value, rows: number) => g.op("Reshape", [row, g.ints(1, kvHeads, rows, headDim)]);
  const query = byHead(fresh.query, queryHeads / kvHeads); // [1, KH, G, d]
  const [key, value] = [byHead(fresh.key, 1), byHead(fresh.value, 1)]; // [1, KH, 1, d]
  const scale = { float: 1 / Math.sqrt(headDim) };
  const score = (keys: Value) => g.msOp("FusedMatMul", [query, keys], { transB: 1, alpha: scale });
  const past = score(x.pastKeys); // [1, KH, G, P]
  const seen = sliding ? g.op("Add", [past, x.pastBias]) : past;
  const recent = g.op("Add", [g.op("Concat", [score(x.tailKeys), score(key)], { axis: 3 }), x.newBias]); // [1, KH, G, T + 1]
  const weights = g.op("Softmax", [g.op("Concat", [seen, recent], { axis: 3 })], { axis: -1 });
  const [onPast, onTail = onPast, onNew = onPast] = g.ops("Split", [weights, x.sizes], 3, { axis: 3 });
  const mixed = [
    g.op("MatMul", [onPast, x.pastValues]),
    g.op("MatMul", [onTail, x.tailValues]),
    g.op("MatMul", [onNew, value]),
  ];
  return [g.op("Sum", mixed), key, value, g.op("Reshape", [weights, g.ints(1, queryHeads, -1)])];
}

/** For an output that a branch has nothing for. */
export const nothing = (g: Graph): Value => g.op("Identity", [g.float(0)]);

/** The new queries and keys after RoPE, and the values: [1, S, H * d] and twice [1, S, KH * d]. */
export function rotated(
  g: Graph,
  { queryHeads, kvHeads, headDim }: Pick<ModelConfig, "queryHeads" | "kvHeads" | "headDim">,
  { joint, positions, cos, sin }: AttentionInputs,
): { readonly query: Value; readonly key: Value; readonly value: Value } {
  const widths = g.ints(queryHeads * headDim, kvHeads * headDim, kvHeads * headDim);
  const [q, k = q, value = q] = g.ops("Split", [joint, widths], 3, { axis: 2 });
  const rotate = (x: Value, heads: number) => g.msOp("RotaryEmbedding", [x, positions, cos, sin], { num_heads: heads });
  return { query: rotate(q, queryHeads), key: rotate(k, kvHeads), value };
}
