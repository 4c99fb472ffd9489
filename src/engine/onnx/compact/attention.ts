/**
 * Attention over a past whose older entries are in a compact form: they are read as they are stored, and what they stand for is there
 * for one layer at a time. Then it is a ragged past in two parts.
 *
 * N blocks of t tokens, in all layers; n of them in a layer. Codes are unpacked by one shift per slab (cache/compact/block.ts).
 * 1,024 entries for each of 3 KV heads of 64 take 0.11 ms a side in 8 bits, 0.18 in 4, 0.23 in 2; casting, multiplying and adding
 * 0.24 in 8, and tables of all bytes' codes 0.6, 0.45, 0.3 (2 threads, 2026-11).
 *
 * To a step of another attention this branch costs nothing that could be measured: medians of 660 steps in fast precision, turn by turn
 * with a graph that lacks it, 10.82 and 10.83 ms over SnapKV's cache, 13.34 and 13.47 over AdaKV's (1 thread, 2026-11).
 */
import { channelGroup } from "../../../cache/compact/block.ts";
import { GROUP } from "../../../cache/compact/form.ts";
import type { ModelConfig } from "../../../model/config.ts";
import type { Graph, Value } from "../../../onnx/graph.ts";
import type { AttentionOutputs } from "../attention.ts";
import { type RaggedInputs, raggedAttention } from "../ragged.ts";

/** The blocks of keys or values. */
interface Side {
  /** uint8 [N, bytes of a block] */
  readonly codes: Value;
  /** [N, floats of a block] */
  readonly floats: Value;
  /** What entries are times what their blocks stand for: [entries of all layers]; or a 1 for all. */
  readonly norms: Value;
}

/** What every layer shares: inputs of the graph. */
export interface CompactInputs {
  readonly keys: Side;
  readonly values: Side;
  /** Each layer's first block, and the one after its last: int64 [L * 2]. */
  readonly blocks: Value;
  /** Likewise of norms; layers that share blocks have their own. */
  readonly ofNorms: Value;
  /** Whether blocks are codes, or numbers in fp32. */
  readonly quantised: Value;
  /** How far to shift a byte for each of its codes, and what is then left of it: uint8 [8 / bits, 1] and [1]. */
  readonly shifts: Value;
  readonly mask: Value;
  /** The channels of keys that are there: int64 [L, KH, d']. */
  readonly channels: Value;
}

export function compactInputs(g: Graph, { layers, kvHeads }: ModelConfig): CompactInputs {
  const side = (name: "k" | "v"): Side => ({
    codes: g.input(`older.${name}.codes`, "uint8", ["N", `C${name}`]),
    floats: g.input(`older.${name}.floats`, "float32", ["N", `F${name}`]),
    norms: g.input(`older.${name}.norms`, "float32", ["M"]),
  });
  return {
    keys: side("k"),
    values: side("v"),
    blocks: g.input("older.blocks", "int64", [layers * 2]),
    ofNorms: g.input("older.ofNorms", "int64", [layers * 2]),
    quantised: g.input("older.quantised", "bool", []),
    shifts: g.input("older.shifts", "uint8", ["slabs", 1]),
    mask: g.input("older.mask", "uint8", [1]),
    channels: g.input("older.channels", "int64", [layers, kvHeads, "kept"]),
  };
}

export function compactAttention(
  g: Graph,
  config: ModelConfig,
  older: CompactInputs,
  layer: number,
  x: RaggedInputs,
): AttentionOutputs {
  const { headDim } = config;
  const channels = g.op("Gather", [older.channels, g.int(layer)], { axis: 0 });
  const boundsIn = (all: Value) =>
    [2 * layer, 2 * layer + 1].map((at) => g.op("Slice", [all, g.ints(at), g.ints(at + 1)]));
  const [bounds, normBounds] = [boundsIn(older.blocks), boundsIn(older.ofNorms)];
  const own = (blocks: Value) => g.op("Slice", [blocks, ...bounds, g.ints(0)]);
  const [keys, values = keys] = g.choose(
    older.quantised,
    (q) => [keysOf(q, older, own, channels), valuesOf(q, older, own, headDim)],
    (q) => [q.op("Identity", [own(older.keys.floats)]), q.op("Identity", [own(older.values.floats)])],
    `compact${layer}`,
  );
  const blocks = g.op("Shape", [x.pastKeys], { start: 1, end: 2 });
  const perBlock = (entries: Value, width: Value) =>
    g.op("Reshape", [entries, g.op("Concat", [g.ints(1), blocks, g.ints(-1), width], { axis: 0 })]);
  const width = g.op("Shape", [channels], { start: 1 });
  const normsOf = ({ norms }: Side) => {
    const ofLayer = g.op("Slice", [norms, ...normBounds]);
    const count = g.op("Min", [blocks, g.op("Shape", [ofLayer])]); // a single norm is that of all blocks
    return g.op("Reshape", [ofLayer, g.op("Concat", [g.ints(1), count, g.ints(1, -1)], { axis: 0 })]);
  };
  const part = {
    keys: perBlock(keys, width),
    values: perBlock(values, g.ints(headDim)),
    channels,
    keyNorms: normsOf(older.keys),
    valueNorms: normsOf(older.values),
  };
  return raggedAttention(g, config, x, [part, { keys: x.pastKeys, values: x.pastValues }]);
}

type Own = (blocks: Value) => Value;

/** Codes of a layer's blocks, a token's after another's: uint8 [n * t * width]. */
function codesOf(g: Graph, { shifts, mask }: CompactInputs, codes: Value): Value {
  const shifted = g.op("BitShift", [g.op("Unsqueeze", [codes, g.ints(1)]), shifts], { direction: "RIGHT" }); // [n, slabs, bytes]
  return g.op("BitwiseAnd", [shifted, mask]);
}

/** Each group's scale and lowest number: twice [n, groups]. */
function affines(g: Graph, floats: Value): readonly [Value, Value] {
  const [scales, lows = scales] = g.ops("Split", [floats], 2, { axis: 1, num_outputs: 2 });
  return [scales, lows];
}

/** A channel of a block's tokens has a scale: [n, t, d']. */
function keysOf(g: Graph, older: CompactInputs, own: Own, channels: Value): Value {
  const [scales, lows] = affines(g, own(older.keys.floats));
  const width = g.op("Shape", [channels], { start: 1 });
  const rows = (values: Value, ...lead: readonly number[]) =>
    g.op("Reshape", [values, g.op("Concat", [g.ints(...lead), width], { axis: 0 })]);
  const codes = rows(codesOf(g, older, own(older.keys.codes)), -1);
  const spread = g.op("DequantizeLinear", [codes, scales], { axis: 0, block_size: GROUP });
  return g.op("Add", [rows(spread, -1, GROUP), rows(lows, -1, 1)]);
}

/** A group of a token's channels has a scale: [n * t * d / group, group]. */
function valuesOf(g: Graph, older: CompactInputs, own: Own, headDim: number): Value {
  const [scales, lows] = affines(g, own(older.values.floats));
  const codes = g.op("Reshape", [codesOf(g, older, own(older.values.codes)), g.ints(-1, channelGroup(headDim))]);
  const spread = g.op("DequantizeLinear", [codes, g.op("Reshape", [scales, g.ints(-1)])], { axis: 0 });
  return g.op("Add", [spread, g.op("Reshape", [lows, g.ints(-1, 1)])]);
}
