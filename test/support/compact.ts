/** What a cache with compact entries stands for, worked out in TypeScript. */
import { decode } from "../../src/cache/compact/block.ts";
import type { CompactEntries } from "../../src/cache/compact/entries.ts";
import { channelsOf, layoutsOf } from "../../src/cache/compact/form.ts";
import { blocksAt } from "../../src/cache/compact/writer.ts";
import { headLength, type LayerEntries, offsetsOf } from "../../src/cache/layer.ts";
import { copyTail } from "../../src/cache/tail.ts";
import { KvCache } from "../../src/index.ts";

/** A cache that holds in fp32 what another one's entries stand for: the channels that keys lack are 0. */
export function inFp32(cache: KvCache): KvCache {
  const { model, geometry, length, logits, compact, tail } = cache;
  let first = 0;
  const layers = cache.layers.map((recent, layer): LayerEntries => {
    if (compact === null) return recent;
    const older = olderOf(cache, compact, layer, first);
    first += older.blocks;
    const counts = older.heads.map(({ positions }, head) => positions.length + headLength(recent, head));
    const both = (side: "keys" | "values") =>
      Float32Array.from(
        older.heads.flatMap((head, h) => {
          const [from = 0, to = 0] = recent.offsets.subarray(h, h + 2);
          return [...head[side], ...recent[side].subarray(from * geometry.headDim, to * geometry.headDim)];
        }),
      );
    const positions = older.heads.flatMap((head, h) => [
      ...head.positions,
      ...recent.positions.subarray(recent.offsets[h], recent.offsets[h + 1]),
    ]);
    return {
      keys: both("keys"),
      values: both("values"),
      positions: Int32Array.from(positions),
      offsets: offsetsOf(counts),
    };
  });
  return new KvCache({ model, geometry, layers, length, logits, tail: copyTail(tail) });
}

/** A layer's older entries, head by head, in fp32; its blocks begin with `first`. */
function olderOf({ geometry }: KvCache, { form, keys, values, layers }: CompactEntries, layer: number, first: number) {
  const layouts = layoutsOf(form, geometry);
  const places = layers[layer];
  if (places === undefined) throw new RangeError(`no layer ${layer}`);
  const { headDim, kvHeads } = geometry;
  const heads = Array.from({ length: kvHeads }, (_, head) => {
    const [from = 0, to = 0] = places.offsets.subarray(head, head + 2);
    const rows = (side: "keys" | "values") => {
      const layout = layouts[side];
      const blocks = Array.from({ length: (to - from) / layout.tokens }, (_, i) =>
        decode(layout, blocksAt(layout, side === "keys" ? keys : values, first + from / layout.tokens + i, 1)),
      );
      return blocks.flatMap((block) => [...block]);
    };
    const channels = channelsOf(form, geometry, layer, head) ?? Array.from({ length: headDim }, (_, c) => c);
    const stored = rows("keys");
    const whole = new Float32Array((to - from) * headDim);
    for (const [i, x] of stored.entries()) {
      const row = Math.floor(i / channels.length);
      whole[row * headDim + (channels[i % channels.length] ?? 0)] = x;
    }
    return { keys: whole, values: rows("values"), positions: places.positions.subarray(from, to) };
  });
  return { heads, blocks: places.positions.length / layouts.keys.tokens };
}
