/** Random entries in every compact form, as engines on a device hold them. */
import fc from "fast-check";
import type { CompactBlocks } from "../../kernels/compact-attention/index.ts";
import { type Tensor, tensor } from "../../kernels/tensor.ts";
import type { CompactEntries } from "../../src/cache/compact/entries.ts";
import { layoutsOf } from "../../src/cache/compact/form.ts";
import { BlockWriter } from "../../src/cache/compact/writer.ts";
import { offsetsOf } from "../../src/cache/layer.ts";
import { compactBlocks } from "../../src/engine/webgpu/compact-blocks.ts";
import { normals, uniforms } from "./arbitraries.ts";
import { uniform } from "./random.ts";

const LAYERS = 2;

/** Edges of tiles of 128, stretches of 256 and blocks of 32; values of 64 and 160 channels have several scales. */
export const compactForms = {
  seed: fc.integer({ min: 1, max: 1e6 }),
  shape: fc.constantFrom(
    { kvHeads: 2, group: 1, headDim: 8 },
    { kvHeads: 1, group: 3, headDim: 20 },
    { kvHeads: 2, group: 2, headDim: 64 },
    { kvHeads: 1, group: 2, headDim: 160 },
  ),
  bits: fc.constantFrom(8 as const, 4 as const, 2 as const, null),
  /** Share of the channels that keys have. */
  keep: fc.constantFrom(null, 0.01, 0.4, 0.9),
  /** In place of pruned channels and codes: both layers share directions. */
  isShared: fc.boolean(),
  longest: fc.constantFrom(0, 1, 31, 32, 33, 96, 128, 160, 256, 257, 288, 520),
  layer: fc.constantFrom(0, 1),
};

const trials = fc.record(compactForms);
type Trial = typeof trials extends fc.Arbitrary<infer T> ? T : never;

type Numbers = ReturnType<typeof compactBlocks>;

/** The entries of both layers. */
export const blocksOf = (trial: Trial): Numbers => compactBlocks(entriesOf(trial), { layers: LAYERS, ...trial.shape });

function entriesOf({ seed, shape: { kvHeads, headDim }, bits, keep, isShared, longest }: Trial): CompactEntries {
  const next = uniform(seed);
  const geometry = { layers: LAYERS, kvHeads, headDim };
  const width = keep === null ? headDim : Math.max(1, Math.round(keep * headDim));
  const some = () => {
    const order = Array.from({ length: headDim }, (_, c) => ({ c, at: next() })).sort((a, b) => a.at - b.at);
    return order
      .slice(0, width)
      .map(({ c }) => c)
      .sort((a, b) => a - b);
  };
  const form = {
    bits: isShared ? null : bits,
    recent: 1,
    channels: keep === null || isShared ? null : Int32Array.from(Array.from({ length: LAYERS * kvHeads }, some).flat()),
  };
  const { keys, values } = layoutsOf(form, geometry);
  const { tokens } = keys;
  const ofOne = () =>
    Array.from({ length: kvHeads }, (_, head) => Math.floor((head === 0 ? longest : longest * next()) / tokens));
  const lower = ofOne();
  const blocks = [lower, isShared ? lower : ofOne()];
  const totals = blocks.map((own) => own.reduce((sum, count) => sum + count, 0));
  const [first = 0, second = 0] = totals;
  const total = isShared ? first : first + second;
  const nothing = { codes: new Uint8Array(0), floats: new Float32Array(0) };
  const writers = [keys, values].map((layout, side) => {
    const writer = new BlockWriter(layout, total, nothing);
    for (let i = 0; i < total; i++) writer.add(normals(seed + 2 * i + side, tokens, layout.width).data);
    return writer.blocks;
  });
  const norms = (i: number) => uniforms(seed + i, (first + second) * tokens).data;
  return {
    form,
    keys: writers[0] ?? nothing,
    values: writers[1] ?? nothing,
    layers: blocks.map((own, layer) => ({
      positions: Int32Array.from({ length: (totals[layer] ?? 0) * tokens }, () => Math.floor(100 * next())),
      offsets: offsetsOf(own.map((count) => count * tokens)),
    })),
    begins: [0, isShared ? 0 : first],
    norms: isShared ? { keys: norms(7), values: norms(8) } : null,
  };
}

/** The same blocks with other arrays. */
export function eachArray<T>(
  blocks: Numbers,
  of: (data: Numbers["codes"], name: "codes" | "floats" | "places" | "heads") => T,
): CompactBlocks<T> {
  return {
    ...blocks,
    codes: of(blocks.codes, "codes"),
    floats: of(blocks.floats, "floats"),
    places: of(blocks.places, "places"),
    heads: of(blocks.heads, "heads"),
  };
}

/** As the reference takes them. */
export const inMemory = (blocks: Numbers, kvHeads: number): CompactBlocks<Tensor> =>
  eachArray(blocks, (data, name) => {
    const numbers = Float32Array.from(name === "codes" ? new Uint8Array(data.buffer) : data);
    return name === "heads" ? tensor(numbers, LAYERS, kvHeads, 4) : tensor(numbers, numbers.length);
  });
