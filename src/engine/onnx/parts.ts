/** The parts that decoder layers are made of: norms and the feed-forward network. */
import type { ModelConfig } from "../../model/config.ts";
import type { Weights } from "../../model/weights/weights.ts";
import type { Graph, Value } from "../../onnx/graph.ts";
import type { Product } from "./linear.ts";

/** SiLU(x G) * (x U) D; SiLU is QuickGelu with alpha 1. */
export function feedForward(g: Graph, product: Product, x: Value, name: (part: string) => string): Value {
  const joint = product(x, [name("mlp.gate_proj"), name("mlp.up_proj")]);
  const [gate, up = gate] = g.ops("Split", [joint], 2, { axis: 1, num_outputs: 2 });
  const gated = g.op("Mul", [g.msOp("QuickGelu", [gate], { alpha: { float: 1 } }), up]);
  return product(gated, [name("mlp.down_proj")]);
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
