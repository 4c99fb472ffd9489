import { Graph } from "../../src/onnx/graph.ts";
import { runForFloats, type Sessions } from "../sessions.ts";
import { checkDims, entriesShape, groupSize } from "../shapes.ts";
import { type Tensor, tensor } from "../tensor.ts";
import type { Projections } from "./index.ts";

export const projections =
  (sessions: Sessions): Projections<Tensor> =>
  async (keys, directions) => {
    const [kvHeads, length, size] = entriesShape("projections", keys);
    const [rows = 0] = directions.dims;
    checkDims("projections", "directions", directions, [rows, size]);
    const group = groupSize("projections", rows, kvHeads);
    if (length === 0) return tensor(new Float32Array(0), rows, 0);
    const grouped = { data: directions.data, dims: [kvHeads, group, size] };
    return runForFloats(await sessions.get("projections", graph), { keys, directions: grouped }, rows, length);
  };

/** keys [KH, n, d], directions [KH, G, d] -> out [KH, G, n] */
function graph() {
  const g = new Graph();
  const keys = g.input("keys", "float32", ["KH", "n", "d"]);
  const directions = g.input("directions", "float32", ["KH", "G", "d"]);
  g.output("out", g.msOp("FusedMatMul", [directions, keys], { transB: 1 }), "float32", ["KH", "G", "n"]);
  return g.finish("projections");
}
