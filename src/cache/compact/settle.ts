/**
 * How entries go over into a compact form: in whole blocks, the oldest first, so that a head holds at least `recent` in fp32 and less
 * than a block more. Of a prompt at once; generated ones wait in the tail until they are enough for a block of every head.
 */
import { type CacheEntries, compacted } from "../evict.ts";
import { type CacheGeometry, copyEntries, headLength, type LayerEntries, offsetsOf, type Places } from "../layer.ts";
import type { CompactEntries } from "./entries.ts";
import { channelsOf, layoutsOf } from "./form.ts";
import { BlockWriter } from "./writer.ts";

/** What is old enough in its form, and the rest, the tail included, in fp32. */
export function settled(
  compact: CompactEntries,
  stored: CacheEntries,
): { readonly compact: CompactEntries; readonly layers: readonly LayerEntries[] } {
  const { geometry } = stored;
  const { form } = compact;
  const layouts = layoutsOf(form, geometry);
  const { tokens } = layouts.keys;
  const heads = Array.from({ length: geometry.kvHeads }, (_, head) => head);
  const nothing = heads.map(() => []);
  const fp32 =
    stored.tail.length === 0
      ? stored.layers
      : compacted(
          stored,
          stored.layers.map(() => nothing),
        );
  const moving = fp32.map((entries) =>
    heads.map((head) => Math.floor(Math.max(0, headLength(entries, head) - form.recent) / tokens)),
  );
  const held = compact.layers.map((layer) => heads.map((head) => headLength(layer, head) / tokens));
  const counts = moving.map((ofLayer, layer) => [...ofLayer, ...(held[layer] ?? [])].reduce((sum, n) => sum + n, 0));
  const ends = offsetsOf(counts);
  const total = ends.at(-1) ?? 0;
  const keys = new BlockWriter(layouts.keys, total, compact.keys);
  const values = new BlockWriter(layouts.values, total, compact.values);
  for (const [layer, entries] of fp32.entries()) {
    for (const head of heads) {
      const [from = 0] = entries.offsets.subarray(head);
      const channels = channelsOf(form, geometry, layer, head);
      keys.keep(held[layer]?.[head] ?? 0);
      values.keep(held[layer]?.[head] ?? 0);
      for (let block = 0; block < (moving[layer]?.[head] ?? 0); block++) {
        const rows = [from + block * tokens, from + (block + 1) * tokens].map((row) => row * geometry.headDim);
        keys.add(only(channels, entries.keys.subarray(...rows), geometry.headDim));
        values.add(entries.values.subarray(...rows));
      }
    }
  }
  const gone = moving.map((ofLayer) => ofLayer.map((blocks) => blocks * tokens));
  return {
    layers: fp32.map((entries, layer) => without(entries, gone[layer] ?? [], geometry)),
    compact: {
      form,
      keys: keys.blocks,
      values: values.blocks,
      layers: compact.layers.map((old, layer) => joined(old, fp32[layer] ?? old, gone[layer] ?? [])),
      begins: [...ends.subarray(0, -1)],
      norms: null,
    },
  };
}

/** Rows of d numbers without the channels that are not kept. */
function only(channels: Int32Array | null, rows: Float32Array, headDim: number): Float32Array {
  if (channels === null) return rows;
  const width = channels.length;
  return Float32Array.from({ length: (rows.length / headDim) * width }, (_, i) => {
    const row = Math.floor(i / width);
    return rows[row * headDim + (channels[i - row * width] ?? 0)] ?? 0;
  });
}

/** A layer without each head's first `gone` entries. */
function without(entries: LayerEntries, gone: readonly number[], { headDim }: CacheGeometry): LayerEntries {
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

/** Each head's places, and after them the first `added` of another layer's. */
function joined(old: Places, { positions, offsets }: Places, added: readonly number[]): Places {
  const parts = added.map((count, head) => {
    const [from = 0] = offsets.subarray(head);
    return [
      ...old.positions.subarray(old.offsets[head], old.offsets[head + 1]),
      ...positions.subarray(from, from + count),
    ];
  });
  return { positions: Int32Array.from(parts.flat()), offsets: offsetsOf(parts.map(({ length }) => length)) };
}
