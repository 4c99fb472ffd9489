/**
 * What the decoder graph takes in: names, types and shapes.
 *
 * S new tokens; per layer l: B blocks of P past entries, see attention.ts
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
 */
import type { ModelConfig } from "../../model/config.ts";
import type { Graph, Value } from "../../onnx/graph.ts";
import { rotaryInputs } from "../rotary-tables.ts";
import type { FlashInputs, TokenInputs } from "./attention.ts";
import type { BatchInputs, BatchLayerInputs } from "./batch/attention.ts";
import { type CompactInputs, compactInputs } from "./compact/attention.ts";
import type { RaggedInputs } from "./ragged.ts";

/** The name of the bias input that layers with this sliding window share. */
export const biasName = (slidingWindow: number | null): string => `bias.${slidingWindow ?? "full"}`;

/** What all layers share. */
export interface DecoderInputs {
  /** [S, hidden] */
  readonly embeddings: Value;
  readonly logitsFrom: Value;
  /** Tables of cosines and sines by the names of their inputs. */
  readonly rotary: ReadonlyMap<string, Value>;
  readonly positions: Value;
  readonly queriesFrom: Value;
  /** Which attention runs. */
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

export function decoderInputs(g: Graph, config: ModelConfig): DecoderInputs {
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
    embeddings: g.input("embeddings", "float32", ["S", config.hiddenSize]),
    logitsFrom: g.input("logitsFrom", "int64", [1]),
  };
}

/**
 * What each attention of a layer takes in.
 *
 * @param joint the layer's new queries, keys and values
 */
export function layerInputs(
  g: Graph,
  config: ModelConfig,
  shared: DecoderInputs,
  layer: number,
  joint: Value,
): {
  readonly flash: FlashInputs;
  readonly token: TokenInputs;
  readonly ragged: RaggedInputs;
  readonly batched: BatchLayerInputs;
} {
  const { headDim, slidingWindow } = config;
  const past = (side: "k" | "v") => g.input(`past.${side}.${layer}`, "float32", [1, `B${layer}`, `P${layer}`, headDim]);
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
    newBias: shared.biases.get(biasName(slidingWindow[layer] ?? null)) ?? joint,
  };
  const token = {
    ...common,
    tailKeys: g.input(`tail.k.${layer}`, "float32", ["BH", "BT", headDim]),
    tailValues: g.input(`tail.v.${layer}`, "float32", ["BH", "BT", headDim]),
    sizes: of(shared.sizes, layer),
  };
  return {
    flash: common,
    token,
    ragged: { ...common, tailKeys: of(shared.tails, 2 * layer), tailValues: of(shared.tails, 2 * layer + 1) },
    batched: { ...token, ...shared.batch, owners: of(shared.owners, layer) },
  };
}

function rotaryTables(g: Graph, config: ModelConfig): ReadonlyMap<string, Value> {
  const names = config.slidingWindow.map((_, layer) => rotaryInputs(config, layer));
  const distinct = new Set(names.flatMap(({ cos, sin }) => [cos, sin]));
  return new Map([...distinct].map((name) => [name, g.input(name, "float32", ["M", config.headDim / 2])]));
}
