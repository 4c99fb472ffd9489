import { Graph } from "../../src/onnx/graph.ts";
import { runForFloats, type Sessions } from "../sessions.ts";
import { groupSize, matrixShape } from "../shapes.ts";
import { tensor } from "../tensor.ts";
import type { GroupMax } from "./index.ts";

export const groupMax =
  (sessions: Sessions): GroupMax =>
  async (scores, kvHeads) => {
    const [heads, columns] = matrixShape("groupMax", scores);
    const group = groupSize("groupMax", heads, kvHeads);
    if (columns === 0) return tensor(new Float32Array(0), kvHeads, 0);
    const session = await sessions.get("groupMax", graph);
    return runForFloats(session, { scores: { data: scores.data, dims: [kvHeads, group, columns] } }, kvHeads, columns);
  };

/** scores [KH, G, m] -> out [KH, m] */
function graph() {
  const g = new Graph();
  const scores = g.input("scores", "float32", ["KH", "G", "m"]);
  g.output("out", g.op("ReduceMax", [scores, g.ints(1)], { keepdims: 0 }), "float32", ["KH", "m"]);
  return g.finish("groupMax");
}
