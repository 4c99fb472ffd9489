/**
 * The older entries of a cache in a compact form: blocks of some tokens each, which belong to one KV head of one layer.
 *
 * Entries start in fp32 and leave it in whole blocks, the oldest first, so a head holds at least `recent` in fp32 and less
 * than a block more; the tail's are generated ones that have not settled yet. All layers' blocks are one allocation, layer after layer,
 * head after head, so that the graph takes in four arrays and not four of every layer. Never changed once made.
 */
import { compacted, type Stored } from "../evict.ts";
import { type CacheGeometry, copyEntries, headLength, type LayerEntries, offsetsOf, type Places } from "../layer.ts";
import { type Block, type BlockLayout, codeBytes, encode, floatCount } from "./block.ts";
import { type CompactForm, channelsOf, layoutsOf } from "./form.ts";

export interface CompactEntries {
  readonly form: CompactForm;
  readonly keys: Block;
  readonly values: Block;
  /** Per layer the true positions, and which entries are whose, as in `LayerEntries`. */
  readonly layers: readonly Places[];
}

/** A form that holds nothing yet. */
export function emptyCompact(form: CompactForm, { layers, kvHeads }: CacheGeometry): CompactEntries {
  const nothing = { codes: new Uint8Array(0), floats: new Float32Array(0) };
  const layer = { positions: new Int32Array(0), offsets: new Int32Array(kvHeads + 1) };
  return { form, keys: nothing, values: nothing, layers: new Array<typeof layer>(layers).fill(layer) };
}

export const bytesOf = ({ form, keys, values }: CompactEntries): number =>
  [keys.codes, keys.floats, values.codes, values.floats, form.channels].reduce(
    (sum, a) => sum + (a?.byteLength ?? 0),
    0,
  );

/** Whether generated entries settle, and enough of them came for a block of every head. */
export const isDue = ({ form }: CompactEntries, tailLength: number, geometry: CacheGeometry): boolean =>
  form.bits !== null && tailLength >= layoutsOf(form, geometry).keys.tokens;

/** What is old enough in its form, and the rest, the tail included, in fp32. */
export function settled(
  compact: CompactEntries,
  stored: Stored,
): { readonly compact: CompactEntries; readonly layers: readonly LayerEntries[] } {
  const { geometry } = stored;
  const { form } = compact;
  const layouts = layoutsOf(form, geometry);
  const { tokens } = layouts.keys;
  const fp32 =
    stored.tail.length === 0
      ? stored.layers
      : compacted(
          stored,
          stored.layers.map(() => heads(geometry).map(() => [])),
        );
  const moving = fp32.map((entries) =>
    heads(geometry).map((head) => Math.floor(Math.max(0, headLength(entries, head) - form.recent) / tokens)),
  );
  const held = compact.layers.map((layer) => heads(geometry).map((head) => headLength(layer, head) / tokens));
  const total = [...moving, ...held].flat().reduce((sum, blocks) => sum + blocks, 0);
  const writers = {
    keys: new BlockWriter(layouts.keys, total, compact.keys),
    values: new BlockWriter(layouts.values, total, compact.values),
  };
  const layers = fp32.map((entries, layer) => {
    const [blocks, old] = [moving[layer] ?? [], held[layer] ?? []];
    for (const head of heads(geometry)) {
      writers.keys.keep(old[head] ?? 0);
      writers.values.keep(old[head] ?? 0);
      const channels = channelsOf(form, geometry, layer, head);
      for (let block = 0; block < (blocks[head] ?? 0); block++) {
        const from = (entries.offsets[head] ?? 0) + block * tokens;
        const rows = (side: Float32Array) => side.subarray(from * geometry.headDim, (from + tokens) * geometry.headDim);
        writers.keys.add(withChannels(rows(entries.keys), channels, geometry.headDim));
        writers.values.add(rows(entries.values));
      }
    }
    return rest(
      entries,
      blocks.map((count) => count * tokens),
      geometry,
    );
  });
  const places = fp32.map((entries, layer) =>
    extended(
      compact.layers[layer],
      entries,
      (moving[layer] ?? []).map((count) => count * tokens),
    ),
  );
  return { layers, compact: { form, keys: writers.keys.block, values: writers.values.block, layers: places } };
}

const heads = ({ kvHeads }: CacheGeometry): readonly number[] => Array.from({ length: kvHeads }, (_, head) => head);

/** Writes blocks one after the other: old ones as they are, new ones encoded. */
class BlockWriter {
  readonly block: Block;
  readonly #layout: BlockLayout;
  readonly #old: Block;
  #kept = 0;
  #written = 0;

  constructor(layout: BlockLayout, total: number, old: Block) {
    this.block = {
      codes: new Uint8Array(total * codeBytes(layout)),
      floats: new Float32Array(total * floatCount(layout)),
    };
    this.#layout = layout;
    this.#old = old;
  }

  /** Takes over the next `count` old blocks. */
  keep(count: number): void {
    const from = blocksAt(this.#layout, this.#old, this.#kept, count);
    const to = blocksAt(this.#layout, this.block, this.#written, count);
    to.codes.set(from.codes);
    to.floats.set(from.floats);
    this.#kept += count;
    this.#written += count;
  }

  add(numbers: Float32Array): void {
    encode(this.#layout, numbers, blocksAt(this.#layout, this.block, this.#written++, 1));
  }
}

/** Some blocks of many: views. */
export function blocksAt(layout: BlockLayout, { codes, floats }: Block, from: number, count: number): Block {
  const [bytes, numbers] = [codeBytes(layout), floatCount(layout)];
  return {
    codes: codes.subarray(from * bytes, (from + count) * bytes),
    floats: floats.subarray(from * numbers, (from + count) * numbers),
  };
}

function withChannels(rows: Float32Array, channels: Int32Array | null, headDim: number): Float32Array {
  if (channels === null) return rows;
  const width = channels.length;
  return Float32Array.from({ length: (rows.length / headDim) * width }, (_, i) => {
    const row = Math.floor(i / width);
    return rows[row * headDim + (channels[i - row * width] ?? 0)] ?? 0;
  });
}

/** What is left of a layer without each head's first `gone` entries. */
function rest(entries: LayerEntries, gone: readonly number[], { headDim }: CacheGeometry): LayerEntries {
  const offsets = offsetsOf(gone.map((count, head) => headLength(entries, head) - count));
  const total = offsets.at(-1) ?? 0;
  const [keys, values] = [new Float32Array(total * headDim), new Float32Array(total * headDim)];
  const left: LayerEntries = { keys, values, positions: new Int32Array(total), offsets };
  for (const [head, count] of gone.entries()) {
    const [from = 0, to = 0] = entries.offsets.subarray(head, head + 2);
    copyEntries(entries, [from + count, to], left, offsets[head] ?? 0, headDim);
  }
  return left;
}

/** The places of compact entries after each head's first `added` fp32 ones joined them. */
function extended(old: Places | undefined, entries: LayerEntries, added: readonly number[]): Places {
  if (old === undefined) throw new RangeError("no such layer");
  const parts = added.map((count, head) => {
    const from = entries.offsets[head] ?? 0;
    const kept = old.positions.subarray(old.offsets[head], old.offsets[head + 1]);
    return [...kept, ...entries.positions.subarray(from, from + count)];
  });
  return { positions: Int32Array.from(parts.flat()), offsets: offsetsOf(parts.map(({ length }) => length)) };
}
