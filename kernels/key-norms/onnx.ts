import { Graph } from "../../src/onnx/graph.ts";
import { runForFloats, type Sessions } from "../sessions.ts";
import { entriesShape } from "../shapes.ts";
import { type Tensor, tensor } from "../tensor.ts";
import type { KeyNorms } from "./index.ts";

export const keyNorms =
  (sessions: Sessions): KeyNorms<Tensor> =>
  async (keys) => {
    const [kvHeads, length] = entriesShape("keyNorms", keys);
    if (length === 0) return tensor(new Float32Array(0), kvHeads, 0);
    return runForFloats(await sessions.get("keyNorms", graph), { keys }, kvHeads, length);
  };

/** keys [KH, n, d] -> out [KH, n] */
function graph() {
  const g = new Graph();
  const keys = g.input("keys", "float32", ["KH", "n", "d"]);
  g.output("out", g.op("ReduceL2", [keys, g.ints(2)], { keepdims: 0 }), "float32", ["KH", "n"]);
  return g.finish("keyNorms");
}
