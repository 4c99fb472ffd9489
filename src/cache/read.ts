/** A cache's entries as decoding reads them. */
import { type Block, type BlockLayout, decode } from "./compact/block.ts";
import type { CompactEntries } from "./compact/entries.ts";
import { channelsOf, layoutsOf } from "./compact/form.ts";
import { blocksAt } from "./compact/writer.ts";
import type { CacheGeometry, LayerEntries } from "./layer.ts";

/** Entries of one KV head. */
export interface HeadEntries {
  /** [entries, d] */
  readonly keys: Float32Array;
  /** [entries, d] */
  readonly values: Float32Array;
  readonly positions: Int32Array;
}

interface Readable {
  readonly geometry: CacheGeometry;
  readonly layers: readonly LayerEntries[];
  readonly compact: CompactEntries | null;
}

/** What one KV head holds beyond the tail, oldest first: of compact entries what they stand for, 0 in channels that keys lack. */
export function readHead({ geometry, layers, compact }: Readable, layer: number, kvHead: number): HeadEntries {
  const entries = layers[layer];
  if (entries === undefined) throw new RangeError(`no layer ${layer}`);
  const [from = 0, to = 0] = entries.offsets.subarray(kvHead, kvHead + 2);
  const rows = [from * geometry.headDim, to * geometry.headDim];
  const recent = {
    keys: entries.keys.subarray(...rows),
    values: entries.values.subarray(...rows),
    positions: entries.positions.subarray(from, to),
  };
  if (compact === null) return recent;
  const older = readCompact(compact, geometry, layer, kvHead);
  return oldestFirst(
    {
      keys: joined(older.keys, recent.keys),
      values: joined(older.values, recent.values),
      positions: Int32Array.of(...older.positions, ...recent.positions),
    },
    geometry.headDim,
  );
}

/** What layers do not share may be older than what they do. */
function oldestFirst({ keys, values, positions }: HeadEntries, headDim: number): HeadEntries {
  const order = Array.from(positions.keys()).sort((a, b) => (positions[a] ?? 0) - (positions[b] ?? 0));
  const rows = (of: Float32Array) =>
    Float32Array.from(order.flatMap((i) => [...of.subarray(i * headDim, (i + 1) * headDim)]));
  return { keys: rows(keys), values: rows(values), positions: positions.toSorted() };
}

function joined(first: Float32Array, second: Float32Array): Float32Array {
  const both = new Float32Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}

function readCompact(compact: CompactEntries, geometry: CacheGeometry, layer: number, kvHead: number): HeadEntries {
  const { form, layers, begins, norms } = compact;
  const { positions, offsets } = layers[layer] ?? { positions: new Int32Array(0), offsets: new Int32Array(0) };
  const [from = 0, to = 0] = offsets.subarray(kvHead, kvHead + 2);
  const layouts = layoutsOf(form, geometry);
  const { tokens } = layouts.keys;
  const [first, count] = [(begins[layer] ?? 0) + from / tokens, (to - from) / tokens];
  const lower = layers.slice(0, layer).reduce((sum, { positions }) => sum + positions.length, 0);
  const own = (ofAll: Float32Array | undefined) => ofAll?.subarray(lower + from, lower + to);
  const channels = channelsOf(form, geometry, layer, kvHead);
  return {
    keys: spread(
      channels,
      scaled(numbersOf(layouts.keys, compact.keys, first, count), own(norms?.keys)),
      geometry.headDim,
    ),
    values: scaled(numbersOf(layouts.values, compact.values, first, count), own(norms?.values)),
    positions: positions.subarray(from, to),
  };
}

/** What some blocks stand for, one after the other. */
function numbersOf(layout: BlockLayout, blocks: Block, first: number, count: number): Float32Array {
  const size = layout.tokens * layout.width;
  const numbers = new Float32Array(count * size);
  for (let i = 0; i < count; i++) numbers.set(decode(layout, blocksAt(layout, blocks, first + i, 1)), i * size);
  return numbers;
}

/** Rows times their norms, where they have any. */
const scaled = (rows: Float32Array, norms: Float32Array | undefined): Float32Array =>
  norms === undefined ? rows : rows.map((x, i) => x * (norms[Math.floor((i * norms.length) / rows.length)] ?? 0));

/** Rows of all channels, 0 in those that were not kept. */
function spread(channels: Int32Array | null, kept: Float32Array, headDim: number): Float32Array {
  if (channels === null) return kept;
  const width = channels.length;
  const rows = new Float32Array((kept.length / width) * headDim);
  for (const [i, x] of kept.entries()) rows[Math.floor(i / width) * headDim + (channels[i % width] ?? 0)] = x;
  return rows;
}
