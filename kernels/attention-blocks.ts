/**
 * Attention reduced over queries on the CPU, one KV head and a block of queries at a time. A KV head's G query heads are rows of one
 * matrix product, so keys are never repeated; keys are fed as a view that ends with the block, so nothing above the diagonal is
 * computed beyond the block itself.
 */
import { Graph, type OnnxModel, type Value } from "../src/onnx/graph.ts";
import type { Session } from "../src/onnx/session.ts";
import { runForFloats, type Sessions } from "./sessions.ts";
import type { AttentionShape } from "./shapes.ts";
import { type Tensor, tensor, type Visibility } from "./tensor.ts";

// Probabilities of a block that still fit in the processor's cache: at n = 8000, s = 512, blocks of 3 MiB took 31 ms and of
// 47 MiB 44 ms (2 threads, 2026-11). At least 16 queries, or packing the keys dominates the product.
const BLOCK_FLOATS = 1 << 20;
const MIN_BLOCK = 16;
// Finite, because softmax turns a row of -Infinity into NaN.
export const HIDDEN = -1e9;

/** How the attention of many queries to a key becomes one number. */
export interface Reduction {
  /** Of the sessions that compute it. */
  readonly name: string;
  /**
   * Within a block.
   *
   * @param attention [G, b, p]
   * @param seen whether query i of b sees key j of p, 1 or 0: [b, p]
   * @returns [G, 1, p]
   */
  reduce(g: Graph, attention: Value, seen: Value): Value;
  /** Of two blocks. */
  join(before: number, block: number): number;
}

/** Sums over the queries: [G, b, p] -> [G, 1, p]. */
export function sumOverQueries(g: Graph, attention: Value, seen: Value): Value {
  // A product with ones sums over the queries in order of memory; ReduceSum over the middle axis is a tenth slower.
  const ones = g.op("Expand", [g.float(1), g.op("Concat", [g.ints(1), sizeOf(g, seen, 0)], { axis: 0 })]);
  return g.op("MatMul", [ones, attention]);
}

/** Attention relative to what is even, 1 for a query that sees all its keys alike: [G, b, p]. */
export const relative = (g: Graph, attention: Value, seen: Value): Value =>
  g.op("Mul", [attention, g.op("ReduceSum", [seen, g.ints(1)], { keepdims: 1 })]);

/** The queries of a prompt's end against its keys: [H, s, d], [KH, n, d] -> [H, n]. */
export async function reducedAttention(
  sessions: Sessions,
  { name, reduce, join }: Reduction,
  shape: AttentionShape,
  queries: Tensor,
  keys: Tensor,
  { slidingWindow }: Visibility,
): Promise<Tensor> {
  const { heads, kvHeads, group, queries: s, length } = shape;
  const reduced = new Float32Array(heads * length);
  const sliding = slidingWindow !== null;
  const session = await sessions.get(
    sliding ? `${name}/sliding` : name,
    () => graph(name, reduce, sliding),
    "parallel",
  );
  const block = Math.max(MIN_BLOCK, Math.floor(BLOCK_FLOATS / (group * length)));
  for (let from = 0; from < s; from += block) {
    const to = Math.min(s, from + block);
    const end = length - s + to; // keys seen by the block: [start, end)
    const start = slidingWindow === null ? 0 : Math.max(0, length - s + from - slidingWindow + 1);
    for (let k = 0; k < kvHeads; k++) {
      const part = await ofBlock(session, shape, queries, keys, { kvHead: k, from, to, start, end, slidingWindow });
      for (let g = 0; g < group; g++) {
        const target = reduced.subarray((k * group + g) * length + start);
        for (let j = 0; j < end - start; j++) target[j] = join(target[j] ?? 0, part[g * (end - start) + j] ?? 0);
      }
    }
  }
  return tensor(reduced, heads, length);
}

interface Block {
  readonly kvHead: number;
  /** Queries [from, to) of the s, keys [start, end) of the n. */
  readonly from: number;
  readonly to: number;
  readonly start: number;
  readonly end: number;
  readonly slidingWindow: number | null;
}

/** [G, end - start] */
async function ofBlock(session: Session, shape: AttentionShape, queries: Tensor, keys: Tensor, block: Block) {
  const { group, queries: s, length, size } = shape;
  const { kvHead, from, to, start, end, slidingWindow } = block;
  const head = queries.data.subarray(kvHead * group * s * size, (kvHead + 1) * group * s * size);
  const seen = keys.data.subarray((kvHead * length + start) * size, (kvHead * length + end) * size);
  const feeds = {
    queries: { data: head, dims: [group, s, size] },
    keys: { data: seen, dims: [end - start, size] },
    scale: { data: Float32Array.of(1 / Math.sqrt(size)), dims: [] },
    from: { data: BigInt64Array.of(BigInt(from)), dims: [1] },
    to: { data: BigInt64Array.of(BigInt(to)), dims: [1] },
  };
  const window =
    slidingWindow === null ? {} : { slidingWindow: { data: BigInt64Array.of(BigInt(slidingWindow)), dims: [] } };
  return (await runForFloats(session, { ...feeds, ...window }, group, end - start)).data;
}

/** queries [G, s, d] (rows [from, to) of it) and the p keys [p, d] up to the block's last query -> out [G, 1, p]. */
function graph(name: string, reduce: Reduction["reduce"], sliding: boolean): OnnxModel {
  const g = new Graph();
  const all = g.input("queries", "float32", ["G", "s", "d"]);
  const keys = g.input("keys", "float32", ["p", "d"]);
  const scale = g.input("scale", "float32", []);
  const block = g.op("Slice", [all, g.input("from", "int64", [1]), g.input("to", "int64", [1]), g.ints(1)]);
  const queries = g.op("Mul", [block, scale]);
  const [groups, b, p] = [sizeOf(g, queries, 0), sizeOf(g, queries, 1), sizeOf(g, keys, 0)];

  const rows = g.op("Reshape", [queries, g.op("Concat", [g.ints(-1), sizeOf(g, keys, 1)], { axis: 0 })]); // [G * b, d]
  const products = g.msOp("FusedMatMul", [rows, keys], { transB: 1 }); // [G * b, p]
  const logits = g.op("Reshape", [products, g.op("Concat", [groups, b, p], { axis: 0 })]);
  const hides = hidden(g, b, p, sliding ? g.input("slidingWindow", "int64", []) : null); // [b, p]
  const mask = g.op("Where", [hides, g.float(HIDDEN), g.float(0)]);
  const attention = g.op("Softmax", [g.op("Add", [logits, mask])], { axis: -1 });
  const seen = g.op("Where", [hides, g.float(0), g.float(1)]);
  g.output("out", reduce(g, attention, seen), "float32", ["G", 1, "p"]);
  return g.finish(name);
}

/** Whether query i of the last b positions does not see key j of p: [b, p]. */
export function hidden(g: Graph, b: Value, p: Value, slidingWindow: Value | null): Value {
  const [rows, columns] = [g.op("Squeeze", [b]), g.op("Squeeze", [p])];
  const positions = (from: Value) => g.op("Range", [from, columns, g.int(1)]);
  const j = g.op("Unsqueeze", [positions(g.int(0)), g.ints(0)]); // [1, p]
  const i = g.op("Unsqueeze", [positions(g.op("Sub", [columns, rows])), g.ints(1)]); // [b, 1]
  const later = g.op("Less", [i, j]);
  if (slidingWindow === null) return later;
  return g.op("Or", [later, g.op("LessOrEqual", [j, g.op("Sub", [i, slidingWindow])])]);
}

/** One dimension of a value, int64 [1]. */
export const sizeOf = (g: Graph, value: Value, axis: number) =>
  g.op("Gather", [g.op("Shape", [value]), g.ints(axis)], { axis: 0 });
