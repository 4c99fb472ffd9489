import { Graph } from "../../src/onnx/graph.ts";
import { runForFloats, type Sessions } from "../sessions.ts";
import type { Tensor } from "../tensor.ts";
import type { BeforeRope } from "./index.ts";
import { ropeShape } from "./shape.ts";
import { turnsBack } from "./tables.ts";

export const beforeRope =
  (sessions: Sessions): BeforeRope<Tensor> =>
  async (keys, positions, frequencies) => {
    const [kvHeads, length, size] = ropeShape(keys, positions, frequencies);
    if (keys.data.length === 0) return keys;
    const alike = positions.every((position, i) => position === positions[i % length]);
    // Heads of unlike positions are turned as one long sequence with a table row for every key.
    const dims = alike ? [kvHeads, 1, length, size] : [1, 1, kvHeads * length, size];
    const tables = turnsBack(alike ? positions.subarray(0, length) : positions, frequencies);
    const feeds = { keys: { data: keys.data, dims }, ...tables };
    return runForFloats(await sessions.get("beforeRope", graph), feeds, kvHeads, length, size);
  };

/** keys [B, 1, r, d], and of each row of a sequence cos, sin [r, d / 2] -> out [B, 1, r, d] */
function graph() {
  const g = new Graph();
  const keys = g.input("keys", "float32", ["B", 1, "r", "d"]);
  const [cos, sin] = [g.input("cos", "float32", ["r", "half"]), g.input("sin", "float32", ["r", "half"])];
  g.output("out", g.msOp("RotaryEmbedding", [keys, g.ints(0), cos, sin]), "float32", ["B", 1, "r", "d"]);
  return g.finish("beforeRope");
}
