/**
 * The decoder as one ONNX graph, from a configuration and its weights.
 *
 * Inputs (S new tokens, T tail entries; per layer l: B blocks of P past entries, see attention.ts)
 *   embeddings [S, hidden]        rows of the embedding table, looked up by the caller
 *   cos, sin [S, d/2], index [1, S]
 *   past.k.l, past.v.l [B, P, d]  past.bias.l, broadcasting to [H, S, P]
 *   tail [T, L * 2 * KH * d]      bias.full and bias.<w>: [1, S, T + S], one per sliding window w that the model has
 *   ragged, lastPosition, totalLength, logitsFrom, queriesFrom
 *   for a batch, one token of each of S sequences (batch/attention.ts): batched, members, places, queryShape, outputShape, heads,
 *   owners [pages of all layers], pages [L], tail.k.l, tail.v.l [S * KH, T, d]; its biases are [S, 1, T + 1]
 * Outputs
 *   logits [rows from logitsFrom, vocab], entries [L, 2, KH, S, d], queries [L, H, rows from queriesFrom, d]
 */

import type { ModelConfig } from "../../model/config.ts";
import type { Weights } from "../../model/weights/weights.ts";
import { Graph, type OnnxModel, type Value } from "../../onnx/graph.ts";
import type { Precision } from "../index.ts";
import { flashAttention, raggedAttention } from "./attention.ts";
import { type BatchInputs, batchAttention } from "./batch/attention.ts";
import { type Product, products } from "./linear.ts";
import { feedForward, norm, stack } from "./parts.ts";

const END = Number.MAX_SAFE_INTEGER;

/** The name of the bias input that layers with this sliding window share. */
export const biasName = (slidingWindow: number | null): string => `bias.${slidingWindow ?? "full"}`;

interface Shared {
  readonly cos: Value;
  readonly sin: Value;
  readonly index: Value;
  readonly ragged: Value;
  readonly lastPosition: Value;
  readonly totalLength: Value;
  readonly queriesFrom: Value;
  /** Keys and values of each layer's tail, in turn: [KH, T, d]. */
  readonly tails: readonly Value[];
  readonly biases: ReadonlyMap<string, Value>;
  readonly batched: Value;
  readonly batch: BatchInputs;
  /** The owners of each layer's pages. */
  readonly owners: readonly Value[];
}

/** What a layer gives: the residual stream, and what leaves the graph. */
interface LayerOutput {
  readonly stream: Value;
  /** [2, KH, S, d] */
  readonly entries: Value;
  /** [H, rows, d] */
  readonly queries: Value;
}

export function buildDecoder(config: ModelConfig, weights: Weights, precision: Precision = "fp32"): OnnxModel {
  const g = new Graph();
  const product = products(g, weights, precision);
  const shared = inputs(g, config);
  let stream = g.input("embeddings", "float32", ["S", config.hiddenSize]);
  const outputs: LayerOutput[] = [];
  for (let layer = 0; layer < config.layers; layer++) {
    const output = decoderLayer(g, config, weights, product, shared, layer, stream);
    outputs.push(output);
    stream = output.stream;
  }
  const logitsFrom = g.input("logitsFrom", "int64", [1]);
  const last = g.op("Slice", [stream, logitsFrom, g.ints(END), g.ints(0)]);
  const logits = product(norm(g, config, weights, "model.norm.weight", last), [
    config.tiedEmbeddings ? "model.embed_tokens.weight" : "lm_head.weight",
  ]);
  const { layers, kvHeads, queryHeads, headDim } = config;
  g.output("logits", logits, "float32", ["R", config.vocabSize]);
  g.output(
    "entries",
    stack(
      g,
      outputs.map((o) => o.entries),
    ),
    "float32",
    [layers, 2, kvHeads, "S", headDim],
  );
  g.output(
    "queries",
    stack(
      g,
      outputs.map((o) => o.queries),
    ),
    "float32",
    [layers, queryHeads, "Q", headDim],
  );
  return g.finish(config.family);
}

function inputs(g: Graph, { layers, kvHeads, headDim, slidingWindow }: ModelConfig): Shared {
  const tail = g.input("tail", "float32", ["T", layers * 2 * kvHeads * headDim]);
  const byHead = g.op("Transpose", [g.op("Reshape", [tail, g.ints(0, layers * 2 * kvHeads, headDim)])], {
    perm: [1, 0, 2],
  });
  return {
    cos: g.input("cos", "float32", ["S", headDim / 2]),
    sin: g.input("sin", "float32", ["S", headDim / 2]),
    index: g.input("index", "int64", [1, "S"]),
    ragged: g.input("ragged", "bool", []),
    lastPosition: g.input("lastPosition", "int32", [1]),
    totalLength: g.input("totalLength", "int32", []),
    queriesFrom: g.input("queriesFrom", "int64", [1]),
    tails: g.ops("Split", [byHead], layers * 2, { axis: 0, num_outputs: layers * 2 }),
    biases: new Map(
      [...new Set(slidingWindow.map(biasName))].map((name) => [name, g.input(name, "float32", ["BB", "BS", "BT"])]),
    ),
    batched: g.input("batched", "bool", []),
    batch: {
      members: g.input("members", "int64", ["NG", "F"]),
      places: g.input("places", "int64", ["PL"]),
      queryShape: g.input("queryShape", "int64", [3]),
      outputShape: g.input("outputShape", "int64", [4]),
      heads: g.input("heads", "int64", ["NGH", 1]),
    },
    owners: g.ops("Split", [g.input("owners", "int64", ["N"]), g.input("pages", "int64", [layers])], layers, {
      axis: 0,
    }),
  };
}

function decoderLayer(
  g: Graph,
  config: ModelConfig,
  weights: Weights,
  product: Product,
  shared: Shared,
  layer: number,
  stream: Value,
): LayerOutput {
  const { queryHeads, kvHeads, headDim } = config;
  const name = (part: string) => `model.layers.${layer}.${part}.weight`;
  const widths = g.ints(queryHeads * headDim, kvHeads * headDim, kvHeads * headDim);
  const normed = norm(g, config, weights, name("input_layernorm"), stream);
  const joint = product(normed, [name("self_attn.q_proj"), name("self_attn.k_proj"), name("self_attn.v_proj")]);
  const [q, k = q, v = q] = g.ops("Split", [g.op("Unsqueeze", [joint, g.ints(0)]), widths], 3, { axis: 2 }); // [1, S, heads * d]
  const rotate = (x: Value, heads: number) =>
    g.msOp("RotaryEmbedding", [x, shared.index, shared.cos, shared.sin], { num_heads: heads });
  const byHead = (x: Value, heads: number) =>
    g.op("Transpose", [g.op("Reshape", [x, g.ints(-1, heads, headDim)])], { perm: [1, 0, 2] }); // [heads, S, d]
  const [query, key] = [rotate(q, queryHeads), rotate(k, kvHeads)];
  const [keyByHead, valueByHead] = [byHead(key, kvHeads), byHead(v, kvHeads)];
  const past = { pastKeys: pastInput(g, "k", layer, headDim), pastValues: pastInput(g, "v", layer, headDim) };
  const common = { query, key, value: v, keyByHead, valueByHead, ...past };
  const slidingWindow = config.slidingWindow[layer] ?? null;
  const ragged = {
    ...common,
    tailKeys: shared.tails[2 * layer] ?? stream,
    tailValues: shared.tails[2 * layer + 1] ?? stream,
    pastBias: g.input(`past.bias.${layer}`, "float32", [`b${layer}`, `bs${layer}`, `bp${layer}`]),
    newBias: shared.biases.get(biasName(slidingWindow)) ?? stream,
  };
  const batched = {
    ...ragged,
    ...shared.batch,
    owners: shared.owners[layer] ?? stream,
    tailKeys: g.input(`tail.k.${layer}`, "float32", ["BH", "BT", headDim]),
    tailValues: g.input(`tail.v.${layer}`, "float32", ["BH", "BT", headDim]),
  };
  const attention = g.choose(
    shared.ragged,
    (branch) =>
      branch.choose(
        shared.batched,
        (inner) => batchAttention(inner, config, batched),
        (inner) => raggedAttention(inner, config, ragged),
        "batch",
      ),
    (branch) => flashAttention(branch, config, slidingWindow, { ...common, ...shared }),
    `layer${layer}`,
  );
  const afterAttention = g.op("Add", [stream, product(attention, [name("self_attn.o_proj")])]);
  const fed = feedForward(g, product, norm(g, config, weights, name("post_attention_layernorm"), afterAttention), name);
  const recent = g.op("Slice", [
    g.op("Reshape", [query, g.ints(-1, queryHeads, headDim)]),
    shared.queriesFrom,
    g.ints(END),
    g.ints(0),
  ]);
  return {
    stream: g.op("Add", [afterAttention, fed]),
    entries: stack(g, [keyByHead, valueByHead]),
    queries: g.op("Transpose", [recent], { perm: [1, 0, 2] }),
  };
}

const pastInput = (g: Graph, side: "k" | "v", layer: number, headDim: number) =>
  g.input(`past.${side}.${layer}`, "float32", [`B${layer}`, `P${layer}`, headDim]);
