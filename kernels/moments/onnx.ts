import { Graph } from "../../src/onnx/graph.ts";
import type { Sessions } from "../sessions.ts";
import { entriesShape } from "../shapes.ts";
import { tensor } from "../tensor.ts";
import type { Moments } from "./index.ts";

export const moments =
  (sessions: Sessions): Moments =>
  async (vectors) => {
    const [, rows, size] = entriesShape("moments", vectors);
    const session = await sessions.get("moments", graph, "parallel");
    const { sums, products } = await session.run({ vectors }, ["sums", "products"]);
    return {
      sums: tensor(sums.data as Float32Array, rows, size),
      products: tensor(products.data as Float32Array, rows, size, size),
    };
  };

/** vectors [s, r, d] -> sums [r, d], products [r, d, d] */
function graph() {
  const g = new Graph();
  const vectors = g.input("vectors", "float32", ["s", "r", "d"]);
  const left = g.op("Transpose", [vectors], { perm: [1, 2, 0] }); // [r, d, s]
  const right = g.op("Transpose", [vectors], { perm: [1, 0, 2] }); // [r, s, d]
  g.output("sums", g.op("ReduceSum", [vectors, g.ints(0)], { keepdims: 0 }), "float32", ["r", "d"]);
  g.output("products", g.op("MatMul", [left, right]), "float32", ["r", "d", "d"]);
  return g.finish("moments");
}
