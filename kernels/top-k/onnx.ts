import { Graph } from "../../src/onnx/graph.ts";
import { ELEMENT } from "../../src/onnx/schema.ts";
import type { Sessions } from "../sessions.ts";
import { checkCounts, matrixShape } from "../shapes.ts";
import type { TopK } from "./index.ts";

/** One TopK at the largest count; its rows come best first, so a smaller count is a prefix. It breaks ties as the contract does. */
export const topK =
  (sessions: Sessions): TopK =>
  async (scores, counts) => {
    const [rows, columns] = matrixShape("topK", scores);
    checkCounts(rows, columns, counts);
    const most = Math.max(0, ...counts);
    if (most === 0) return counts.map(() => new Int32Array(0));
    const session = await sessions.get("topK", graph);
    const k = { data: BigInt64Array.of(BigInt(most)), dims: [1] };
    const { out } = await session.run({ scores, k }, ["out"]);
    const best = out.data as Int32Array; // [rows, most]
    return counts.map((count, r) => best.slice(r * most, r * most + count).sort());
  };

/** scores [r, m] -> out [r, k], int32 so that no BigInt is made per entry */
function graph() {
  const g = new Graph();
  const scores = g.input("scores", "float32", ["r", "m"]);
  const inputs = [scores, g.input("k", "int64", [1])];
  const [, columns] = g.ops("TopK", inputs, 2, { axis: -1, largest: 1, sorted: 1 });
  const out = g.op("Cast", [columns ?? scores], { to: ELEMENT.int32 });
  g.output("out", out, "int32", ["r", "k"]);
  return g.finish("topK");
}
