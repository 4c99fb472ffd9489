import { Graph } from "../../src/onnx/graph.ts";
import { runForFloats, type Sessions } from "../sessions.ts";
import { projectionShape } from "../shapes.ts";
import { type Tensor, tensor } from "../tensor.ts";
import type { ProjectedNorms } from "./index.ts";

/** Values that are projected at once: what they become is `hidden` numbers each. */
const BLOCK = 1024;

/** One query head and a block of values at a time, so that what is projected is never all in memory. */
export const projectedNorms =
  (sessions: Sessions): ProjectedNorms<Tensor> =>
  async (values, projection) => {
    const { heads, group, length, size } = projectionShape("projectedNorms", values, projection);
    const norms = new Float32Array(heads * length);
    const session = await sessions.get("projectedNorms", graph, "parallel");
    for (let h = 0; h < heads; h++) {
      const start = Math.floor(h / group) * length;
      for (let first = 0; first < length; first += BLOCK) {
        const count = Math.min(BLOCK, length - first);
        const data = values.data.subarray((start + first) * size, (start + first + count) * size);
        const feeds = {
          values: { data, dims: [count, size] },
          projection,
          from: int(h * size),
          to: int((h + 1) * size),
        };
        norms.set((await runForFloats(session, feeds, count)).data, h * length + first);
      }
    }
    return tensor(norms, heads, length);
  };

const int = (value: number) => ({ data: BigInt64Array.of(BigInt(value)), dims: [1] });

/** values [m, d], projection [hidden, H * d] (columns [from, to) of it) -> out [m] */
function graph() {
  const g = new Graph();
  const values = g.input("values", "float32", ["m", "d"]);
  const all = g.input("projection", "float32", ["hidden", "Hd"]);
  const own = g.op("Slice", [all, g.input("from", "int64", [1]), g.input("to", "int64", [1]), g.ints(1)]);
  const projected = g.msOp("FusedMatMul", [values, own], { transB: 1 }); // [m, hidden]
  g.output("out", g.op("ReduceL1", [projected, g.ints(1)], { keepdims: 0 }), "float32", ["m"]);
  return g.finish("projectedNorms");
}
