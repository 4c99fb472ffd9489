/**
 * The decoder as one ONNX graph, from a configuration and its weights.
 *
 * Inputs (S new tokens; per layer l: B blocks of P past entries, see attention.ts)
 *   embeddings [S, hidden]        rows of the embedding table, looked up by the caller
 *   cos, sin [M, d/2]             of all positions below M; positions [1, S]: those of the tokens
 *   cos.sliding, sin.sliding      the same for layers with a sliding window, on networks whose RoPE differs there
 *   past.k.l, past.v.l [1, B, P, d]
 *   logitsFrom [1], queriesFrom [2]: the first row of which each is wanted (and the column 0)
 *   token, flash, ragged, batched, compact which attention runs, the first that is true; if none is, flash attention with column sums
 *   flash attention:  lastPosition, totalLength, newFrom
 *   one token:        past.bias.l, tail.k.l, tail.v.l [KH, T, d], sizes [L * 3],
 *                     bias.full and bias.<w>: [1, 1, T + 1], one per sliding window w that the model has
 *   ragged attention: past.bias.l, tail [T, L * 2 * KH * d], and the biases [1, S, T + S]
 *   batches:          ragged as well; members, places, queryShape, outputShape, heads, owners [pages of all layers], pages [L],
 *                     tail.k.l, tail.v.l [S * KH, T, d], and the biases [S, 1, T + 1]; see batch/attention.ts
 *   compact forms:    as ragged attention, and older.*: see compact/attention.ts
 * Outputs
 *   logits [rows from logitsFrom, vocab], queries [L, rows from queriesFrom, H * d] as they meet RoPE
 *   entries [L * 2, KH, S, d]: the new keys and values of each layer in turn; one output, because each takes some microseconds
 *   sums.l [1, H, T]: the attention that each of the T keys so far received from the S queries: of flash attention if it was asked for,
 *                     of one token in the columns of its attention (sight.ts), not of batches
 */

import type { ModelConfig } from "../../model/config.ts";
import type { Weights } from "../../model/weights/weights.ts";
import { Graph, type OnnxModel, type Value } from "../../onnx/graph.ts";
import type { Precision } from "../index.ts";
import { rotaryInputs } from "../rotary-tables.ts";
import { flashAttention, tokenAttention } from "./attention.ts";
import { type BatchInputs, batchAttention } from "./batch/attention.ts";
import { type CompactInputs, compactAttention, compactInputs } from "./compact/attention.ts";
import { products } from "./linear.ts";
import { addThenNorm, feedForward, type Network, norm, queryKeyValue } from "./parts.ts";
import { raggedAttention } from "./ragged.ts";

const END = Number.MAX_SAFE_INTEGER;

/** The name of the bias input that layers with this sliding window share. */
export const biasName = (slidingWindow: number | null): string => `bias.${slidingWindow ?? "full"}`;

/** How the column sums of a layer are called. */
export const sumsOf = (layer: number): string => `sums.${layer}`;

interface Shared {
  /** Tables of cosines and sines by the names of their inputs. */
  readonly rotary: ReadonlyMap<string, Value>;
  readonly positions: Value;
  readonly queriesFrom: Value;
  readonly token: Value;
  readonly flash: Value;
  readonly ragged: Value;
  readonly batched: Value;
  readonly compact: Value;
  readonly older: CompactInputs;
  readonly lastPosition: Value;
  readonly totalLength: Value;
  readonly newFrom: Value;
  /** Of each layer: P, T and 1. */
  readonly sizes: readonly Value[];
  /** Keys and values of each layer's tail, in turn: [KH, T, d]. */
  readonly tails: readonly Value[];
  readonly biases: ReadonlyMap<string, Value>;
  readonly batch: BatchInputs;
  /** The owners of each layer's pages. */
  readonly owners: readonly Value[];
}

/** A layer's residual stream, and the same normalised for what comes next. */
interface Stream {
  readonly residual: Value;
  readonly normed: Value;
}

export function buildDecoder(config: ModelConfig, weights: Weights, precision: Precision = "fp32"): OnnxModel {
  const g = new Graph();
  const net: Network = { g, config, weights, product: products(g, weights, precision) };
  const { layers, queryHeads, kvHeads, headDim } = config;
  const shared = inputs(g, config);
  const embeddings = g.input("embeddings", "float32", ["S", config.hiddenSize]);
  const logitsFrom = g.input("logitsFrom", "int64", [1]);
  let stream: Stream = { residual: embeddings, normed: norm(net, normOf(config, 0), embeddings) };
  const queries: Value[] = [];
  const fresh: Value[] = [];
  for (let layer = 0; layer < layers; layer++) {
    const { attention, query, entries } = attend(net, shared, layer, stream.normed);
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

function inputs(g: Graph, config: ModelConfig): Shared {
  const { layers, kvHeads, headDim, slidingWindow } = config;
  const tail = g.input("tail", "float32", ["T", layers * 2 * kvHeads * headDim]);
  const byHead = g.op("Transpose", [g.op("Reshape", [tail, g.ints(0, layers * 2 * kvHeads, headDim)])], {
    perm: [1, 0, 2],
  });
  const flag = (name: string) => g.input(name, "bool", []);
  const sizes = g.input("sizes", "int64", [layers * 3]);
  return {
    rotary: rotaryTables(g, config),
    positions: g.input("positions", "int64", [1, "S"]),
    queriesFrom: g.input("queriesFrom", "int64", [2]),
    token: flag("token"),
    flash: flag("flash"),
    ragged: flag("ragged"),
    batched: flag("batched"),
    compact: flag("compact"),
    older: compactInputs(g, config),
    lastPosition: g.input("lastPosition", "int32", [1]),
    totalLength: g.input("totalLength", "int32", []),
    newFrom: g.input("newFrom", "int64", [1]),
    sizes: g.ops("Split", [sizes], layers, { axis: 0, num_outputs: layers }),
    tails: g.ops("Split", [byHead], layers * 2, { axis: 0, num_outputs: layers * 2 }),
    biases: new Map(
      [...new Set(slidingWindow.map(biasName))].map((name) => [name, g.input(name, "float32", ["BB", "BS", "BT"])]),
    ),
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

function rotaryTables(g: Graph, config: ModelConfig): ReadonlyMap<string, Value> {
  const names = config.slidingWindow.map((_, layer) => rotaryInputs(config, layer));
  const distinct = new Set(names.flatMap(({ cos, sin }) => [cos, sin]));
  return new Map([...distinct].map((name) => [name, g.input(name, "float32", ["M", config.headDim / 2])]));
}

/** -> attention [S, H * d], the queries that are wanted, as they meet RoPE [1, rows, H * d], and the new keys and values, [1, KH, S, d] */
function attend(
  net: Network,
  shared: Shared,
  layer: number,
  normed: Value,
): { readonly attention: Value; readonly query: Value; readonly entries: readonly Value[] } {
  const { g, config } = net;
  const { queryHeads, headDim } = config;
  const joint = g.op("Unsqueeze", [queryKeyValue(net, layer, normed), g.ints(0)]); // [1, S, (H + 2 KH) * d]
  const past = (side: "k" | "v") => g.input(`past.${side}.${layer}`, "float32", [1, `B${layer}`, `P${layer}`, headDim]);
  const slidingWindow = config.slidingWindow[layer] ?? null;
  const of = (values: readonly Value[], index: number) => values[index] ?? joint;
  const { cos, sin } = rotaryInputs(config, layer);
  const common = {
    ...shared,
    joint,
    cos: shared.rotary.get(cos) ?? joint,
    sin: shared.rotary.get(sin) ?? joint,
    pastKeys: past("k"),
    pastValues: past("v"),
    pastBias: g.input(`past.bias.${layer}`, "float32", [`b${layer}`, `bs${layer}`, `bp${layer}`]),
    newBias: shared.biases.get(biasName(slidingWindow)) ?? joint,
  };
  const ragged = {
    ...common,
    tailKeys: of(shared.tails, 2 * layer),
    tailValues: of(shared.tails, 2 * layer + 1),
  };
  const alone = {
    ...common,
    tailKeys: g.input(`tail.k.${layer}`, "float32", ["BH", "BT", headDim]),
    tailValues: g.input(`tail.v.${layer}`, "float32", ["BH", "BT", headDim]),
    sizes: of(shared.sizes, layer),
  };
  const batched = { ...alone, ...shared.batch, owners: of(shared.owners, layer) };
  type Branch = (g: Graph) => readonly Value[];
  const otherwise = (flag: Value, then: Branch, other: Branch, label: string) => (branch: Graph) =>
    branch.choose(flag, then, other, label);
  const flash = (sums: boolean) => (branch: Graph) => flashAttention(branch, config, slidingWindow, common, sums);
  const anyPast = otherwise(
    shared.batched,
    (branch) => batchAttention(branch, config, batched),
    (branch) => raggedAttention(branch, config, ragged),
    "batched",
  );
  const rare = otherwise(
    shared.compact,
    (branch) => compactAttention(branch, config, shared.older, layer, ragged),
    flash(true),
    "compact",
  );
  const [attention, keys = joint, values = joint, sums = joint] = g.choose(
    shared.token,
    (branch) => tokenAttention(branch, config, slidingWindow !== null, alone),
    otherwise(shared.flash, flash(false), otherwise(shared.ragged, anyPast, rare, "ragged"), "flash"),
    `layer${layer}`,
    [null, null, null, sumsOf(layer)],
  );
  g.output(sumsOf(layer), sums, "float32", [1, `SH${layer}`, `ST${layer}`]);
  return {
    attention: g.op("Reshape", [attention, g.ints(-1, queryHeads * headDim)]),
    entries: [keys, values],
    query: g.op("Slice", [joint, shared.queriesFrom, g.ints(END, queryHeads * headDim), g.ints(1, 2)]),
  };
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
