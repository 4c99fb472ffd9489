import { Graph } from "../../src/onnx/graph.ts";
import { runForFloats, type Sessions } from "../sessions.ts";
import { entriesShape } from "../shapes.ts";
import { type Tensor, tensor } from "../tensor.ts";
import type { KeySimilarity } from "./index.ts";

export const keySimilarity =
  (sessions: Sessions): KeySimilarity<Tensor> =>
  async (keys) => {
    const [kvHeads, length] = entriesShape("keySimilarity", keys);
    if (length === 0) return tensor(new Float32Array(0), kvHeads, 0);
    return runForFloats(await sessions.get("keySimilarity", graph, "parallel"), { keys }, kvHeads, length);
  };

/** keys [KH, n, d] -> out [KH, n] */
function graph() {
  const g = new Graph();
  const keys = g.input("keys", "float32", ["KH", "n", "d"]);
  const units = g.op("LpNormalization", [keys], { axis: 2, p: 2 });
  const mean = g.op("ReduceMean", [units, g.ints(1)], { keepdims: 1 });
  const direction = g.op("LpNormalization", [mean], { axis: 2, p: 2 });
  const column = g.op("Transpose", [direction], { perm: [0, 2, 1] });
  const cosines = g.op("Squeeze", [g.op("MatMul", [units, column]), g.ints(2)]); // [KH, n]
  g.output("out", cosines, "float32", ["KH", "n"]);
  return g.finish("keySimilarity");
}
