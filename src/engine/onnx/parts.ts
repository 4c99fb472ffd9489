/** The parts that decoder layers are made of: norms, projections and the feed-forward network, each with its weights. */
import type { ModelConfig } from "../../model/config.ts";
import type { Weights } from "../../model/weights/weights.ts";
import type { Graph, Value } from "../../onnx/graph.ts";

/** SiLU(x G) * (x U) D; SiLU is QuickGelu with alpha 1. */
export function feedForward(g: Graph, weights: Weights, x: Value, name: (part: string) => string): Value {
  const joint = linear(g, weights, x, [name("mlp.gate_proj"), name("mlp.up_proj")]);
  const [gate, up = gate] = g.ops("Split", [joint], 2, { axis: 1, num_outputs: 2 });
  const gated = g.op("Mul", [g.msOp("QuickGelu", [gate], { alpha: { float: 1 } }), up]);
  return linear(g, weights, gated, [name("mlp.down_proj")]);
}

/** Values of one shape under a new first axis. */
export const stack = (g: Graph, parts: readonly Value[]) =>
  g.op(
    "Concat",
    parts.map((part) => g.op("Unsqueeze", [part, g.ints(0)])),
    { axis: 0 },
  );

export function norm(g: Graph, { normEpsilon }: ModelConfig, weights: Weights, name: string, x: Value): Value {
  const scale = g.weight(name, weights.info(name).shape, (into) => weights.read(name, into));
  return g.op("SimplifiedLayerNormalization", [x, scale], { axis: -1, epsilon: { float: normEpsilon } });
}

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
