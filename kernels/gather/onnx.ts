import { Graph } from "../../src/onnx/graph.ts";
import { runForFloats, type Sessions } from "../sessions.ts";
import { type Tensor, tensor } from "../tensor.ts";
import type { Gather } from "./index.ts";
import { gatherShape } from "./shape.ts";

export const gather =
  (sessions: Sessions): Gather<Tensor> =>
  async (entries, rows) => {
    const { length, size, total } = gatherShape(entries, rows);
    if (total === 0) return tensor(new Float32Array(0), 0, size);
    const flat = new Int32Array(total);
    let at = 0;
    rows.forEach((list, h) => {
      for (const r of list) flat[at++] = h * length + r;
    });
    const session = await sessions.get("gather", graph);
    const feeds = {
      entries: { data: entries.data, dims: [rows.length * length, size] },
      rows: { data: flat, dims: [total] },
    };
    return runForFloats(session, feeds, total, size);
  };

/** entries [KH * n, d], rows [t] -> out [t, d] */
function graph() {
  const g = new Graph();
  const entries = g.input("entries", "float32", ["rows", "d"]);
  const out = g.op("Gather", [entries, g.input("rows", "int32", ["t"])], { axis: 0 });
  g.output("out", out, "float32", ["t", "d"]);
  return g.finish("gather");
}
