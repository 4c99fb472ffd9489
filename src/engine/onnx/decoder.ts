/**
 * The decoder as one ONNX graph, from a configuration and its weights. What it takes in is in inputs.ts; it gives
 *   logits [rows from logitsFrom, vocab], queries [L, rows from queriesFrom, H * d] as they meet RoPE
 *   entries [L * 2, KH, S, d]: the new keys and values of each layer in turn; one output, because each takes some microseconds
 *   sums.l [1, H, T]: the attention that each of the T keys so far received from the S queries: of flash attention if it was asked for,
 *                     of one token in the columns of its attention (sight.ts), not of batches
 */
import type { ModelConfig } from "../../model/config.ts";
import type { Weights } from "../../model/weights/weights.ts";
import { Graph, type OnnxModel, type Value } from "../../onnx/graph.ts";
import type { Precision } from "../index.ts";
import { decoderInputs } from "./inputs.ts";
import { attend } from "./layer-attention.ts";
import { products } from "./linear.ts";
import { addThenNorm, feedForward, type Network, norm } from "./parts.ts";

const END = Number.MAX_SAFE_INTEGER;

/** A layer's residual stream, and the same normalised for what comes next. */
interface Stream {
  readonly residual: Value;
  readonly normed: Value;
}

export function buildDecoder(config: ModelConfig, weights: Weights, precision: Precision = "fp32"): OnnxModel {
  const g = new Graph();
  const net: Network = { g, config, weights, product: products(g, weights, precision) };
  const { layers, queryHeads, kvHeads, headDim } = config;
  const inputs = decoderInputs(g, config);
  const { embeddings, logitsFrom } = inputs;
  let stream: Stream = { residual: embeddings, normed: norm(net, normOf(config, 0), embeddings) };
  const queries: Value[] = [];
  const fresh: Value[] = [];
  for (let layer = 0; layer < layers; layer++) {
    const { attention, query, entries } = attend(net, inputs, layer, stream.normed);
    queries.push(query);
    fresh.push(...entries);
    // What follows the last attention concerns only the rows whose logits are wanted.
    const wanted = (rows: Value) =>
      layer < layers - 1 ? rows : g.op("Slice", [rows, logitsFrom, g.ints(END), g.ints(0)]);
    stream = feed(net, layer, wanted(attention), wanted(stream.residual));
  }
  const head = config.tiedEmbeddings ? "model.embed_tokens.weight" : "lm_head.weight";
  g.output("logits", net.product(stream.normed, [head]), "float32", ["R", config.vocabSize]);
  g.output("entries", g.op("Concat", fresh, { axis: 0 }), "float32", [layers * 2, kvHeads, "S", headDim]);
  g.output("queries", g.op("Concat", queries, { axis: 0 }), "float32", [layers, "Q", queryHeads * headDim]);
  return g.finish(config.family);
}

/** What follows a layer's attention, up to the norm that the next layer (or the head) reads. */
function feed(net: Network, layer: number, attention: Value, residual: Value): Stream {
  const name = (part: string) => `model.layers.${layer}.${part}.weight`;
  const { postNorms } = net.config;
  const projected = net.product(attention, [name("self_attn.o_proj")]);
  // Without post-norms, the norm after attention is the one before the feed-forward network.
  const attended = postNorms ? norm(net, name("post_attention_layernorm"), projected) : projected;
  const before = name(postNorms ? "pre_feedforward_layernorm" : "post_attention_layernorm");
  const middle = addThenNorm(net, before, attended, residual);
  const made = feedForward(net, middle.normed, name);
  const fed = postNorms ? norm(net, name("post_feedforward_layernorm"), made) : made;
  return addThenNorm(net, normOf(net.config, layer + 1), fed, middle.residual);
}

/** The norm before a layer, or after the last. */
const normOf = ({ layers }: ModelConfig, layer: number): string =>
  layer < layers ? `model.layers.${layer}.input_layernorm.weight` : "model.norm.weight";
