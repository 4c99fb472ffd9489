/** All queries of one KV head at once: windows are short, so its probabilities, G * w * n, need no blocks. */
import { Graph, type OnnxModel } from "../../src/onnx/graph.ts";
import { HIDDEN, hidden, sizeOf } from "../attention-blocks.ts";
import type { Sessions } from "../sessions.ts";
import { attentionShape, checkDims } from "../shapes.ts";
import { type Tensor, tensor } from "../tensor.ts";
import type { WindowStatistics } from "./index.ts";

// Under it a probability counts as 0: its part of an entropy is below 1e-28.
const TINY = 1e-30;

export const windowStatistics =
  (sessions: Sessions): WindowStatistics<Tensor> =>
  async (queries, keys, weights, { slidingWindow }) => {
    const { heads, kvHeads, group, queries: w, length, size } = attentionShape("windowStatistics", queries, keys);
    checkDims("windowStatistics", "weights", tensor(weights, weights.length), [w]);
    const earlier = length - w;
    const [sums, squares] = [new Float32Array(heads * earlier), new Float32Array(heads * earlier)];
    const entropies = new Float32Array(heads);
    const sliding = slidingWindow !== null;
    const name = sliding ? "windowStatistics/sliding" : "windowStatistics";
    const session = await sessions.get(name, () => graph(sliding), "parallel");
    for (let k = 0; earlier > 0 && k < kvHeads; k++) {
      const feeds = {
        queries: {
          data: queries.data.subarray(k * group * w * size, (k + 1) * group * w * size),
          dims: [group, w, size],
        },
        keys: { data: keys.data.subarray(k * length * size, (k + 1) * length * size), dims: [length, size] },
        scale: { data: Float32Array.of(1 / Math.sqrt(size)), dims: [] },
        weights: { data: weights, dims: [1, w] },
        ...(sliding ? { slidingWindow: { data: BigInt64Array.of(BigInt(slidingWindow)), dims: [] } } : {}),
      };
      const out = await session.run(feeds, ["sums", "squares", "entropies"]);
      sums.set(out.sums.data as Float32Array, k * group * earlier);
      squares.set(out.squares.data as Float32Array, k * group * earlier);
      entropies.set(out.entropies.data as Float32Array, k * group);
    }
    return {
      sums: tensor(sums, heads, earlier),
      squares: tensor(squares, heads, earlier),
      entropies: tensor(entropies, heads),
    };
  };

/** queries [G, w, d], keys [n, d], weights [1, w] -> sums and squares [G, 1, n - w], entropies [G, 1, 1] */
function graph(sliding: boolean): OnnxModel {
  const g = new Graph();
  const all = g.input("queries", "float32", ["G", "w", "d"]);
  const keys = g.input("keys", "float32", ["n", "d"]);
  const queries = g.op("Mul", [all, g.input("scale", "float32", [])]);
  const weights = g.input("weights", "float32", [1, "w"]);
  const [w, n] = [sizeOf(g, all, 1), sizeOf(g, keys, 0)];

  const logits = g.op("MatMul", [queries, g.op("Transpose", [keys], { perm: [1, 0] })]); // [G, w, n]
  const hides = hidden(g, w, n, sliding ? g.input("slidingWindow", "int64", []) : null); // [w, n]
  const mask = g.op("Where", [hides, g.float(HIDDEN), g.float(0)]);
  const attention = g.op("Softmax", [g.op("Add", [logits, mask])], { axis: -1 });
  const earlier = g.op("Slice", [attention, g.ints(0), g.op("Sub", [n, w]), g.ints(2)]); // [G, w, n - w]
  const logs = g.op("Log", [g.op("Max", [earlier, g.float(TINY)])]);
  const spread = g.op("ReduceSum", [g.op("Mul", [earlier, logs]), g.ints(2)], { keepdims: 1 }); // [G, w, 1]

  g.output("sums", g.op("MatMul", [weights, earlier]), "float32", ["G", 1, "m"]);
  g.output("squares", g.op("MatMul", [weights, g.op("Mul", [earlier, earlier])]), "float32", ["G", 1, "m"]);
  g.output("entropies", g.op("Neg", [g.op("MatMul", [weights, spread])]), "float32", ["G", 1, 1]);
  return g.finish("windowStatistics");
}
