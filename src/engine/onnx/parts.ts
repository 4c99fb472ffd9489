/** The parts that decoder layers are made of: norms and the feed-forward network. */
import type { ModelConfig } from "../../model/config.ts";
import type { Weights } from "../../model/weights/weights.ts";
import type { Graph, Value } from "../../onnx/graph.ts";
import type { Product } from "./linear.ts";

/** A network being written into a graph. */
export interface Network {
  readonly g: Graph;
  readonly config: ModelConfig;
  readonly weights: Weights;
  readonly product: Product;
}

/** SiLU(x G) * (x U) D; SiLU is QuickGelu with alpha 1. Two products, because splitting the result of one takes longer. */
export function feedForward({ g, product }: Network, x: Value, name: (part: string) => string): Value {
  const [gate, up] = [product(x, [name("mlp.gate_proj")]), product(x, [name("mlp.up_proj")])];
  const gated = g.op("Mul", [g.msOp("QuickGelu", [gate], { alpha: { float: 1 } }), up]);
  return product(gated, [name("mlp.down_proj")]);
}

export function norm(net: Network, name: string, x: Value): Value {
  const epsilon = { float: net.config.normEpsilon };
  return net.g.op("SimplifiedLayerNormalization", [x, normScale(net, name)], { axis: -1, epsilon });
}

/** x + residual, and the same normalised. */
export function addThenNorm(
  net: Network,
  name: string,
  x: Value,
  residual: Value,
): { readonly residual: Value; readonly normed: Value } {
  const [normed, sum = normed] = net.g.ops(
    "SkipSimplifiedLayerNormalization",
    [x, residual, normScale(net, name)],
    [true, false, false, true],
    { epsilon: { float: net.config.normEpsilon } },
    "com.microsoft",
  );
  return { residual: sum, normed };
}

const normScale = ({ g, weights }: Network, name: string): Value =>
  g.weight(name, weights.info(name).shape, (into) => weights.read(name, into));
