import { Graph } from "../../src/onnx/graph.ts";
import { ELEMENT } from "../../src/onnx/schema.ts";
import type { Sessions } from "../sessions.ts";
import { type Tensor, tensor } from "../tensor.ts";
import type { NearestKeys } from "./index.ts";
import { nearestShape } from "./shape.ts";

/** Cosines that may be in memory at once: 16 MiB of them. */
const COSINES = 2 ** 22;

export const nearestKeys =
  (sessions: Sessions): NearestKeys<Tensor> =>
  async (keys, rows) => {
    const { length, size } = nearestShape(keys, rows);
    const places = new Int32Array(rows.length * length);
    const cosines = new Float32Array(rows.length * length);
    const session = await sessions.get("nearestKeys", graph, "parallel");
    for (const [head, list] of rows.entries()) {
      const own = { data: keys.data.subarray(head * length * size, (head + 1) * length * size), dims: [length, size] };
      const others = { data: list, dims: [list.length] };
      const block = Math.max(1, Math.floor(COSINES / list.length));
      for (let from = 0; from < length; from += block) {
        const count = Math.min(block, length - from);
        const some = { data: own.data.subarray(from * size, (from + count) * size), dims: [count, size] };
        const out = await session.run({ own, others, some }, ["places", "cosines"]);
        places.set(out.places.data as Int32Array, head * length + from);
        cosines.set(out.cosines.data as Float32Array, head * length + from);
      }
    }
    return { places, cosines: tensor(cosines, rows.length, length) };
  };

/** own [n, d], others [k] (rows of it), some [m, d] -> places [m], cosines [m] */
function graph() {
  const g = new Graph();
  const unit = (x: ReturnType<Graph["input"]>) => g.op("LpNormalization", [x], { axis: 1, p: 2 });
  const own = g.input("own", "float32", ["n", "d"]);
  const others = g.op("Gather", [own, g.input("others", "int32", ["k"])], { axis: 0 });
  const some = g.input("some", "float32", ["m", "d"]);
  const cosines = g.msOp("FusedMatMul", [unit(some), unit(others)], { transB: 1 });
  const places = g.op("ArgMax", [cosines], { axis: 1, keepdims: 0, select_last_index: 0 });
  g.output("places", g.op("Cast", [places], { to: ELEMENT.int32 }), "int32", ["m"]);
  g.output("cosines", g.op("ReduceMax", [cosines, g.ints(1)], { keepdims: 0 }), "float32", ["m"]);
  return g.finish("nearestKeys");
}
