import { Graph } from "../../src/onnx/graph.ts";
import { runForFloats, type Sessions } from "../sessions.ts";
import { checkPoolSize, matrixShape } from "../shapes.ts";
import { tensor } from "../tensor.ts";
import type { MaxPool } from "./index.ts";

export const maxPool =
  (sessions: Sessions): MaxPool =>
  async (scores, size) => {
    checkPoolSize("maxPool", size);
    const [rows, columns] = matrixShape("maxPool", scores);
    if (rows * columns === 0) return tensor(new Float32Array(0), rows, columns);
    const session = await sessions.get(`maxPool/${size}`, () => graph(size));
    return runForFloats(session, { scores: { data: scores.data, dims: [1, rows, columns] } }, rows, columns);
  };

/** scores [1, r, m] -> out [1, r, m]; the size is part of the operator, not an input. */
function graph(size: number) {
  const g = new Graph();
  const half = (size - 1) / 2;
  const scores = g.input("scores", "float32", [1, "r", "m"]);
  const pooled = g.op("MaxPool", [scores], { kernel_shape: [size], pads: [half, half], strides: [1] });
  g.output("out", pooled, "float32", [1, "r", "m"]);
  return g.finish("maxPool");
}
