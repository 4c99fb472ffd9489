/** A layer's attention: one of several, as the graph's inputs say. */
import type { Graph, Value } from "../../onnx/graph.ts";
import { flashAttention, tokenAttention } from "./attention.ts";
import { batchAttention } from "./batch/attention.ts";
import { compactAttention } from "./compact/attention.ts";
import { type DecoderInputs, layerInputs } from "./inputs.ts";
import { type Network, queryKeyValue } from "./parts.ts";
import { raggedAttention } from "./ragged.ts";

const END = Number.MAX_SAFE_INTEGER;

/** How the column sums of a layer are called. */
export const sumsOf = (layer: number): string => `sums.${layer}`;

/** -> attention [S, H * d], the queries that are wanted, as they meet RoPE [1, rows, H * d], and the new keys and values, [1, KH, S, d] */
export function attend(
  net: Network,
  shared: DecoderInputs,
  layer: number,
  normed: Value,
): { readonly attention: Value; readonly query: Value; readonly entries: readonly Value[] } {
  const { g, config } = net;
  const { queryHeads, headDim } = config;
  const joint = g.op("Unsqueeze", [queryKeyValue(net, layer, normed), g.ints(0)]); // [1, S, (H + 2 KH) * d]
  const { flash, token, ragged, batched } = layerInputs(g, config, shared, layer, joint);
  const slidingWindow = config.slidingWindow[layer] ?? null;
  type Branch = (g: Graph) => readonly Value[];
  const otherwise = (flag: Value, then: Branch, other: Branch, label: string) => (branch: Graph) =>
    branch.choose(flag, then, other, label);
  const uniform = (sums: boolean) => (branch: Graph) => flashAttention(branch, config, slidingWindow, flash, sums);
  const anyPast = otherwise(
    shared.batched,
    (branch) => batchAttention(branch, config, batched),
    (branch) => raggedAttention(branch, config, ragged),
    "batched",
  );
  const rare = otherwise(
    shared.compact,
    (branch) => compactAttention(branch, config, shared.older, layer, ragged),
    uniform(true),
    "compact",
  );
  const [attention, keys = joint, values = joint, sums = joint] = g.choose(
    shared.token,
    (branch) => tokenAttention(branch, config, slidingWindow !== null, token),
    otherwise(shared.flash, uniform(false), otherwise(shared.ragged, anyPast, rare, "ragged"), "flash"),
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
