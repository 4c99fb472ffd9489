import { Graph } from "../../src/onnx/graph.ts";
import { runForFloats, type Sessions } from "../sessions.ts";
import { entriesShape } from "../shapes.ts";
import { type Tensor, tensor } from "../tensor.ts";
import type { ValueNorms } from "./index.ts";

export const valueNorms =
  (sessions: Sessions): ValueNorms<Tensor> =>
  async (values) => {
    const [kvHeads, length] = entriesShape("valueNorms", values);
    if (length === 0) return tensor(new Float32Array(0), kvHeads, 0);
    return runForFloats(await sessions.get("valueNorms", graph), { values }, kvHeads, length);
  };

/** values [KH, n, d] -> out [KH, n] */
function graph() {
  const g = new Graph();
  const values = g.input("values", "float32", ["KH", "n", "d"]);
  g.output("out", g.op("ReduceL1", [values, g.ints(2)], { keepdims: 0 }), "float32", ["KH", "n"]);
  return g.finish("valueNorms");
}
