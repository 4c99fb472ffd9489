/** The parts that decoder layers are made of: norms, projections and the feed-forward network, each with its weights. */
import type { ModelConfig } from "../../model/config.ts";
import type { Weights } from "../../model/weights/weights.ts";
import type { Graph, Value } from "../../onnx/graph.ts";

/** SiLU(x G) * (x U) D; SiLU is QuickGelu with alpha 1. Two products, because splitting the result of one takes longer. */
export function feedForward(g: Graph, weights: Weights, x: Value, name: (part: string) => string): Value {
  const [gate, up] = [linear(g, weights, x, [name("mlp.gate_proj")]), linear(g, weights, x, [name("mlp.up_proj")])];
  const gated = g.op("Mul", [g.msOp("QuickGelu", [gate], { alpha: { float: 1 } }), up]);
  return linear(g, weights, gated, [name("mlp.down_proj")]);
}

export function norm(g: Graph, { normEpsilon }: ModelConfig, weights: Weights, name: string, x: Value): Value {
  const scale = normScale(g, weights, name);
  return g.op("SimplifiedLayerNormalization", [x, scale], { axis: -1, epsilon: { float: normEpsilon } });
}

/** x + residual, and the same normalised. */
export function addThenNorm(
  g: Graph,
  { normEpsilon }: ModelConfig,
  weights: Weights,
  name: string,
  x: Value,
  residual: Value,
): { readonly residual: Value; readonly normed: Value } {
  const [normed, sum = normed] = g.ops(
    "SkipSimplifiedLayerNormalization",
    [x, residual, normScale(g, weights, name)],
    [true, false, false, true],
    { epsilon: { float: normEpsilon } },
    "com.microsoft",
  );
  return { residual: sum, normed };
}

const normScale = (g: Graph, weights: Weights, name: string): Value =>
  g.weight(name, weights.info(name).shape, (into) => weights.read(name, into));

/** x W^T for matrices [out, in] that read the same input, side by side: one product instead of several. */
export function linear(g: Graph, weights: Weights, x: Value, names: readonly string[]): Value {
  const shapes = names.map((name) => weights.info(name).shape);
  const [[, width = 0] = []] = shapes;
  const rows = shapes.map(([count = 0]) => count);
  const height = rows.reduce((sum, count) => sum + count, 0);
  const joined = g.weight(names.join("+"), [height, width], (into) => {
    let from = 0;
    for (const [i, name] of names.entries()) {
      const to = from + (rows[i] ?? 0) * width;
      weights.read(name, into.subarray(from, to));
      from = to;
    }
  });
  return g.op("Gemm", [x, joined], { transB: 1 });
}
