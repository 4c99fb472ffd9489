/** One query head at a time; as many whole chunks together as stay small, then what is left of the last one. */
import { Graph } from "../../src/onnx/graph.ts";
import { sizeOf } from "../attention-blocks.ts";
import { runForFloats, type Sessions } from "../sessions.ts";
import { chunkShape } from "../shapes.ts";
import { type Tensor, tensor } from "../tensor.ts";
import type { ChunkAttention } from "./index.ts";

/** Of probabilities that are held at once: 16 MiB. */
const BLOCK_FLOATS = 1 << 22;

export const chunkAttention =
  (sessions: Sessions): ChunkAttention<Tensor> =>
  async (queries, keys, chunk) => {
    const { heads, group, length, size } = chunkShape("chunkAttention", queries, keys, chunk);
    const sums = new Float32Array(heads * length);
    const session = await sessions.get("chunkAttention", graph, "parallel");
    const together = Math.max(1, Math.floor(BLOCK_FLOATS / chunk ** 2));
    for (let h = 0; h < heads; h++)
      for (let from = 0; from < length; ) {
        const whole = Math.min(together, Math.floor((length - from) / chunk));
        const dims = whole > 0 ? [whole, chunk, size] : [1, length - from, size];
        const count = whole > 0 ? whole * chunk : length - from;
        const part = ({ data }: { data: Float32Array }, head: number) => ({
          data: data.subarray((head * length + from) * size, (head * length + from + count) * size),
          dims,
        });
        const feeds = { queries: part(queries, h), keys: part(keys, Math.floor(h / group)) };
        sums.set((await runForFloats(session, feeds, count)).data, h * length + from);
        from += count;
      }
    return tensor(sums, heads, length);
  };

/** queries and keys [C, c, d] -> out [C, 1, c] */
function graph() {
  const g = new Graph();
  const queries = g.input("queries", "float32", ["C", "c", "d"]);
  const keys = g.input("keys", "float32", ["C", "c", "d"]);
  const attention = g.op("Softmax", [g.msOp("FusedMatMul", [queries, keys], { transB: 1 })], { axis: -1 });
  // A product with ones: of one chunk alone, the sum over the middle axis took as long as all the rest.
  const ones = g.op("Expand", [g.float(1), g.op("Concat", [g.ints(1), sizeOf(g, queries, 1)], { axis: 0 })]);
  g.output("out", g.op("MatMul", [ones, attention]), "float32", ["C", 1, "c"]);
  return g.finish("chunkAttention");
}
