/** Leverage is the squared length of a vector under a root of the inverse: one graph before it is taken, and one after. */
import { Graph } from "../../src/onnx/graph.ts";
import { ELEMENT } from "../../src/onnx/schema.ts";
import { runForFloats, type Sessions } from "../sessions.ts";
import { type Tensor, tensor } from "../tensor.ts";
import type { Leverage } from "./index.ts";
import { inverseRoot } from "./inverse-root.ts";
import { leverageShape } from "./shape.ts";

export const leverage =
  (sessions: Sessions): Leverage<Tensor> =>
  async (vectors, shortening, ridge) => {
    const [kvHeads, length, , short] = leverageShape(vectors, shortening, ridge);
    if (kvHeads * length * short === 0) return tensor(new Float32Array(kvHeads * length), kvHeads, length);
    const shorten = await sessions.get("leverage/shorten", shortened, "parallel");
    const { rows, gram } = await shorten.run({ vectors, shortening }, ["rows", "gram"]);
    const roots = new Float32Array(gram.data.length);
    for (let at = 0; at < roots.length; at += short ** 2)
      roots.set(inverseRoot((gram.data as Float64Array).subarray(at, at + short ** 2), short, ridge), at);
    const feeds = { rows, roots: { data: roots, dims: [kvHeads, short, short] } };
    return runForFloats(await sessions.get("leverage", squares, "parallel"), feeds, kvHeads, length);
  };

/** vectors [KH, n, d], shortening [d, k] -> rows [KH, n, k] less their mean; gram float64 [KH, k, k] */
function shortened() {
  const g = new Graph();
  const vectors = g.input("vectors", "float32", ["KH", "n", "d"]);
  const shortening = g.input("shortening", "float32", ["d", "k"]);
  const centred = g.op("Sub", [vectors, g.op("ReduceMean", [vectors, g.ints(1)], { keepdims: 1 })]);
  const rows = g.op("MatMul", [centred, shortening]);
  g.output("rows", rows, "float32", ["KH", "n", "k"]);
  // Of rows in few directions fp32 loses more than a small ridge: leverages beyond 1, or no numbers at all.
  const exact = g.op("Cast", [rows], { to: ELEMENT.float64 });
  g.output("gram", g.msOp("FusedMatMul", [exact, exact], { transA: 1 }), "float64", ["KH", "k", "k"]);
  return g.finish("leverage/shorten");
}

/** rows [KH, n, k], roots [KH, k, k] -> out [KH, n] */
function squares() {
  const g = new Graph();
  const rows = g.input("rows", "float32", ["KH", "n", "k"]);
  const turned = g.msOp("FusedMatMul", [rows, g.input("roots", "float32", ["KH", "k", "k"])], { transB: 1 });
  g.output("out", g.op("ReduceSumSquare", [turned, g.ints(2)], { keepdims: 0 }), "float32", ["KH", "n"]);
  return g.finish("leverage");
}
