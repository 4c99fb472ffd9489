import { Graph } from "../../src/onnx/graph.ts";
import { runForFloats, type Sessions } from "../sessions.ts";
import { groupSize, matrixShape } from "../shapes.ts";
import { tensor } from "../tensor.ts";
import type { GroupMean } from "./index.ts";

export const groupMean =
  (sessions: Sessions): GroupMean =>
  async (scores, kvHeads) => {
    const [heads, columns] = matrixShape("groupMean", scores);
    const group = groupSize("groupMean", heads, kvHeads);
    if (columns === 0) return tensor(new Float32Array(0), kvHeads, 0);
    const session = await sessions.get("groupMean", graph);
    return runForFloats(session, { scores: { data: scores.data, dims: [kvHeads, group, columns] } }, kvHeads, columns);
  };

/** scores [KH, G, m] -> out [KH, m] */
function graph() {
  const g = new Graph();
  const scores = g.input("scores", "float32", ["KH", "G", "m"]);
  g.output("out", g.op("ReduceMean", [scores, g.ints(1)], { keepdims: 0 }), "float32", ["KH", "m"]);
  return g.finish("groupMean");
}
