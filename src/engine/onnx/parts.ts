/** The parts that decoder layers are made of: what enters attention, norms, and the feed-forward network. */
import type { Activation, ModelConfig } from "../../model/config.ts";
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

/** Queries, keys and values side by side, with what the network does to them before RoPE: [S, (H + 2 KH) * d]. */
export function queryKeyValue(net: Network, layer: number, x: Value): Value {
  const { g, config, weights, product } = net;
  const name = (part: string, kind = "weight") => `model.layers.${layer}.self_attn.${part}.${kind}`;
  const parts = ["q_proj", "k_proj", "v_proj"];
  const plain = product(
    x,
    parts.map((part) => name(part)),
  );
  const biases = parts.map((part) => name(part, "bias"));
  const joint = config.attentionBias ? g.op("Add", [plain, sideBySide(g, weights, biases)]) : plain;
  const normed = config.queryKeyNorm ? normHeads(net, joint, name("q_norm"), name("k_norm")) : joint;
  return config.queryScale === 1 ? normed : g.op("Mul", [normed, queryScales(net, name("query_scale", "vector"))]);
}

/** The scale for queries, ones for keys and values. */
function queryScales({ g, config }: Network, name: string): Value {
  const { queryHeads, kvHeads, headDim, queryScale } = config;
  return g.weight(name, [(queryHeads + 2 * kvHeads) * headDim], (into) => {
    into.fill(1).fill(queryScale, 0, queryHeads * headDim);
  });
}

/** Normalises each head's query and key: [S, (H + 2 KH) * d], likewise. */
function normHeads(net: Network, joint: Value, queryScale: string, keyScale: string): Value {
  const { g, config } = net;
  const { queryHeads, kvHeads, headDim } = config;
  const heads = g.op("Reshape", [joint, g.ints(0, queryHeads + 2 * kvHeads, headDim)]);
  const counts = g.ints(queryHeads, kvHeads, kvHeads);
  const [queries, keys = queries, values = queries] = g.ops("Split", [heads, counts], 3, { axis: 1 });
  const normed = [norm(net, queryScale, queries), norm(net, keyScale, keys), values];
  const width = (queryHeads + 2 * kvHeads) * headDim;
  return g.op("Reshape", [g.op("Concat", normed, { axis: 1 }), g.ints(0, width)]);
}

/** Vectors one after the other, as one. */
function sideBySide(g: Graph, weights: Weights, names: readonly string[]): Value {
  const sizes = names.map((name) => weights.info(name).shape[0] ?? 0);
  const length = sizes.reduce((sum, size) => sum + size, 0);
  return g.weight(names.join("+"), [length], (into) => {
    let from = 0;
    for (const [i, name] of names.entries()) {
      const to = from + (sizes[i] ?? 0);
      weights.read(name, into.subarray(from, to));
      from = to;
    }
  });
}

/** activation(x G) * (x U) D. Two products, because splitting the result of one takes longer. */
export function feedForward({ g, config, product }: Network, x: Value, name: (part: string) => string): Value {
  const [gate, up] = [product(x, [name("mlp.gate_proj")]), product(x, [name("mlp.up_proj")])];
  const gated = g.op("Mul", [activate[config.activation](g, gate), up]);
  return product(gated, [name("mlp.down_proj")]);
}

const activate: Readonly<Record<Activation, (g: Graph, x: Value) => Value>> = {
  // SiLU is QuickGelu with alpha 1.
  silu: (g, x) => g.msOp("QuickGelu", [x], { alpha: { float: 1 } }),
  "gelu-tanh": (g, x) => g.op("Gelu", [x], { approximate: "tanh" }),
};

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
