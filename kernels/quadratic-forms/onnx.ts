import { Graph } from "../../src/onnx/graph.ts";
import { runForFloats, type Sessions } from "../sessions.ts";
import { checkDims, entriesShape, groupSize } from "../shapes.ts";
import { type Tensor, tensor } from "../tensor.ts";
import type { QuadraticForms } from "./index.ts";

/** One matrix at a time, so that of what lies between only [n, d] is held. */
export const quadraticForms =
  (sessions: Sessions): QuadraticForms<Tensor> =>
  async (keys, matrices) => {
    const [kvHeads, length, size] = entriesShape("quadraticForms", keys);
    const [rows = 0] = matrices.dims;
    checkDims("quadraticForms", "matrices", matrices, [rows, size, size]);
    const group = groupSize("quadraticForms", rows, kvHeads);
    const forms = new Float32Array(rows * length);
    if (length === 0) return tensor(forms, rows, 0);
    const session = await sessions.get("quadraticForms", graph, "parallel");
    for (let r = 0; r < rows; r++) {
      const head = Math.floor(r / group);
      const own = { data: keys.data.subarray(head * length * size, (head + 1) * length * size), dims: [length, size] };
      const matrix = { data: matrices.data.subarray(r * size * size, (r + 1) * size * size), dims: [size, size] };
      forms.set((await runForFloats(session, { keys: own, matrix }, length)).data, r * length);
    }
    return tensor(forms, rows, length);
  };

/** keys [n, d], matrix [d, d] -> out [n] */
function graph() {
  const g = new Graph();
  const keys = g.input("keys", "float32", ["n", "d"]);
  const matrix = g.input("matrix", "float32", ["d", "d"]);
  const products = g.op("Mul", [g.op("MatMul", [keys, matrix]), keys]);
  g.output("out", g.op("ReduceSum", [products, g.ints(1)], { keepdims: 0 }), "float32", ["n"]);
  return g.finish("quadraticForms");
}
