/**
 * The attention of batches in the decoder graph: one new token of each of B sequences, each over its own past.
 *
 * Kept entries come as pages [N, W, d] that each belong to one KV head of one group of sequences with the very same entries:
 * a full cache's heads as they lie, or a packed copy of many ragged ones (pages.ts). A group's queries meet a page in one
 * product, so forks read it once. Pages are combined by their maxima and sums, as flash decoding does; a sequence's tail
 * and its new token join them in one softmax.
 *
 * B sequences, H = KH * G query heads, NG groups of at most F sequences, N pages of W entries, T tail entries.
 */
import type { ModelConfig } from "../../../model/config.ts";
import type { Graph, Value } from "../../../onnx/graph.ts";
import { ELEMENT } from "../../../onnx/schema.ts";
import { type AttentionInputs, type AttentionOutputs, nothing, rotated } from "../attention.ts";
import { MASKED } from "../masks.ts";

/** What every layer of a batch shares: inputs of the graph. */
export interface BatchInputs {
  /** The sequence at each place of each group, any sequence where there is none: int64 [NG, F]. */
  readonly members: Value;
  /** Each sequence's place, group * F + member: int64 [B]. */
  readonly places: Value;
  /** The numbers NG * KH, F * G, d and NG, KH, F, -1: shapes of queries by group and KV head. */
  readonly queryShape: Value;
  readonly outputShape: Value;
  /** 0 .. NG * KH - 1, as a column: int64 [NG * KH, 1]. */
  readonly heads: Value;
}

/** The pages are the past, [1, N, W, d]; the new tokens are of B sequences. */
export interface BatchLayerInputs extends BatchInputs, AttentionInputs {
  /** Added to the scores of the pages: broadcasts to [N, F * G, W]. */
  readonly pastBias: Value;
  /** group * KH + KV head that each page belongs to: int64 [N]. */
  readonly owners: Value;
  /** [B * KH, T, d] */
  readonly tailKeys: Value;
  readonly tailValues: Value;
  /** Added to the scores of the tail and the new token: [B, 1, T + 1]. */
  readonly newBias: Value;
}

/** What some entries give to each query: the top score, the mass e^(score - top), and the values weighted with it. */
interface Partial {
  readonly top: Value;
  readonly mass: Value;
  readonly sum: Value;
}

/** The new keys and values are [1, KH, B, d]. */
export function batchAttention(g: Graph, config: ModelConfig, x: BatchLayerInputs): AttentionOutputs {
  const { queryHeads, kvHeads, headDim } = config;
  const fresh = rotated(g, config, x);
  const query = g.op("Reshape", [fresh.query, g.ints(-1, queryHeads, headDim)]); // [B, H, d]
  const parts = [pagedPart(g, config, x, query), freshPart(g, config, x, query, fresh)] as const;
  const top = g.op("Max", [parts[0].top, parts[1].top]);
  const total = (pick: (part: Partial) => Value) =>
    g.op(
      "Add",
      parts.map((part) => g.op("Mul", [pick(part), g.op("Exp", [g.op("Sub", [part.top, top])])])),
    );
  const result = g.op("Div", [total((part) => part.sum), total((part) => part.mass)]);
  const byHead = (rows: Value) =>
    g.op("Transpose", [g.op("Reshape", [rows, g.ints(1, -1, kvHeads, headDim)])], { perm: [0, 2, 1, 3] });
  return [result, byHead(fresh.key), byHead(fresh.value), nothing(g)];
}

/** The pages' part: [B, H, 1], [B, H, 1] and [B, H, d]. */
function pagedPart(
  g: Graph,
  { queryHeads, kvHeads, headDim }: ModelConfig,
  x: BatchLayerInputs,
  query: Value,
): Partial {
  const group = queryHeads / kvHeads;
  const byGroup = g.op("Reshape", [g.op("Gather", [query, x.members], { axis: 0 }), g.ints(0, 0, kvHeads, -1)]); // [NG, F, KH, G * d]
  const queries = g.op("Reshape", [g.op("Transpose", [byGroup], { perm: [0, 2, 1, 3] }), x.queryShape]); // [NG * KH, F * G, d]
  const perPage = (values: Value) => g.op("Gather", [values, x.owners], { axis: 0 });
  const product = g.msOp("FusedMatMul", [perPage(queries), x.pastKeys], {
    transB: 1,
    alpha: { float: 1 / Math.sqrt(headDim) },
  });
  const scores = g.op("Add", [g.op("Squeeze", [product, g.ints(0)]), x.pastBias]); // [N, F * G, W]
  const owns = g.op("Equal", [x.heads, x.owners]); // [NG * KH, N]
  const others = g.op("Unsqueeze", [g.op("Where", [owns, g.float(0), g.float(MASKED)]), g.ints(1)]);
  const pageTops = g.op("Squeeze", [g.op("ReduceMax", [scores, g.ints(-1)]), g.ints(2)]); // [N, F * G]
  // Pages last: broadcasting and reducing along few queries was three times slower (2026-11).
  const candidates = g.op("Add", [others, g.op("Transpose", [pageTops], { perm: [1, 0] })]); // [NG * KH, F * G, N]
  const top = g.op("ReduceMax", [candidates, g.ints(-1)]); // [NG * KH, F * G, 1]
  const weights = g.op("Exp", [g.op("Sub", [scores, perPage(top)])]);
  const member = g.op("Cast", [owns], { to: ELEMENT.float32 });
  const headShape = g.op("Concat", [g.op("Shape", [top], { start: 0, end: 2 }), g.ints(-1)], { axis: 0 });
  const ofHead = (values: Value) => {
    const flat = g.op("Reshape", [values, g.op("Concat", [g.op("Shape", [x.owners]), g.ints(-1)], { axis: 0 })]);
    return g.op("Reshape", [g.op("MatMul", [member, flat]), headShape]); // [NG * KH, F * G, ...]
  };
  const mass = ofHead(g.op("ReduceSum", [weights, g.ints(-1)]));
  const sum = ofHead(g.op("MatMul", [weights, x.pastValues]));
  const byHead = g.op("Concat", [sum, mass, top], { axis: 2 }); // [NG * KH, F * G, d + 2]
  const byMember = g.op("Transpose", [g.op("Reshape", [byHead, x.outputShape])], { perm: [0, 2, 1, 3] }); // [NG, F, KH, G * (d + 2)]
  const rows = g.op("Reshape", [byMember, g.ints(-1, kvHeads * group, headDim + 2)]); // [NG * F, H, d + 2]
  const own = g.op("Gather", [rows, x.places], { axis: 0 });
  const [ownSum, ownMass = ownSum, ownTop = ownSum] = g.ops("Split", [own, g.ints(headDim, 1, 1)], 3, { axis: 2 });
  return { sum: ownSum, mass: ownMass, top: ownTop };
}

/** The part of each sequence's tail and new token: [B, H, 1], [B, H, 1] and [B, H, d]. */
function freshPart(
  g: Graph,
  { queryHeads, kvHeads, headDim }: ModelConfig,
  x: BatchLayerInputs,
  query: Value,
  fresh: { readonly key: Value; readonly value: Value },
): Partial {
  const group = queryHeads / kvHeads;
  const queries = g.op("Reshape", [query, g.ints(-1, group, headDim)]); // [B * KH, G, d]
  const ofHead = (rows: Value) => g.op("Reshape", [rows, g.ints(-1, 1, headDim)]); // [B * KH, 1, d]
  const score = (keys: Value) =>
    g.msOp("FusedMatMul", [queries, keys], { transB: 1, alpha: { float: 1 / Math.sqrt(headDim) } });
  const both = g.op("Concat", [score(x.tailKeys), score(ofHead(fresh.key))], { axis: 2 }); // [B * KH, G, T + 1]
  const width = g.op("Shape", [both], { start: 2, end: 3 });
  const shaped = (values: Value, rows: Value) => g.op("Reshape", [values, g.op("Concat", [rows, width], { axis: 0 })]);
  const scores = g.op("Add", [shaped(both, g.ints(-1, queryHeads)), x.newBias]); // [B, H, T + 1]
  const top = g.op("ReduceMax", [scores, g.ints(-1)]);
  const weights = g.op("Exp", [g.op("Sub", [scores, top])]);
  const sizes = g.op("Concat", [g.op("Shape", [x.tailKeys], { start: 1, end: 2 }), g.ints(1)], { axis: 0 });
  const [onTail, onNew = onTail] = g.ops("Split", [shaped(weights, g.ints(-1, group)), sizes], 2, { axis: 2 });
  const sum = g.op("Add", [g.op("MatMul", [onTail, x.tailValues]), g.op("MatMul", [onNew, ofHead(fresh.value)])]);
  return {
    top,
    mass: g.op("ReduceSum", [weights, g.ints(-1)]),
    sum: g.op("Reshape", [sum, g.ints(-1, queryHeads, headDim)]),
  };
}
