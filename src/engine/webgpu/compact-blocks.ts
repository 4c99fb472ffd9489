/** A cache's compact entries as kernels read them: the cache's own arrays side by side, and where each head's begin. */
import type { CompactBlocks } from "../../../kernels/compact-attention/index.ts";
import { channelGroup } from "../../cache/compact/block.ts";
import type { CompactEntries } from "../../cache/compact/entries.ts";
import { layoutsOf } from "../../cache/compact/form.ts";
import { type CacheGeometry, headLength } from "../../cache/layer.ts";

type Numbers = Uint32Array<ArrayBuffer> | Float32Array<ArrayBuffer>;

export function compactBlocks(compact: CompactEntries, geometry: CacheGeometry): CompactBlocks<Numbers> {
  const { form, keys, values, layers, norms } = compact;
  const { bits, width } = layoutsOf(form, geometry).keys;
  const none = new Float32Array(0);
  const floats = [values.floats, keys.floats, norms?.values ?? none, norms?.keys ?? none];
  const [, keyFloats = 0, valueNorms = 0, keyNorms = 0] = begins(floats);
  const places = [...layers.map(({ positions }) => positions), form.channels ?? new Int32Array(0)];
  return {
    bits: bits ?? 0,
    width,
    group: channelGroup(geometry.headDim),
    codes: new Uint32Array(joined((length) => new Uint8Array(length), [values.codes, keys.codes]).buffer),
    keyCodes: values.codes.length,
    floats: joined((length) => new Float32Array(length), floats),
    keyFloats,
    valueNorms: norms === null ? 0 : valueNorms,
    keyNorms: norms === null ? 0 : keyNorms,
    places: joined((length) => new Uint32Array(length), places),
    channels: form.channels === null ? 0 : (begins(places).at(-1) ?? 0),
    heads: headsOf(compact, geometry),
  };
}

/** Where arrays begin that lie side by side. */
function begins(arrays: readonly { readonly length: number }[]): readonly number[] {
  let at = 0;
  return arrays.map(({ length }) => {
    at += length;
    return at - length;
  });
}

function joined<T extends Uint8Array<ArrayBuffer> | Numbers>(
  empty: (length: number) => T,
  arrays: readonly ArrayLike<number>[],
): T {
  const all = empty(arrays.reduce((sum, { length }) => sum + length, 0));
  for (const [i, from] of begins(arrays).entries()) all.set(arrays[i] ?? [], from);
  return all;
}

/** Each head's first block, first entry and count: [L, KH, 4]. */
function headsOf({ form, layers, begins }: CompactEntries, geometry: CacheGeometry): Uint32Array<ArrayBuffer> {
  const { tokens } = layoutsOf(form, geometry).keys;
  const { kvHeads } = geometry;
  const heads = new Uint32Array(layers.length * kvHeads * 4);
  let entries = 0;
  for (const [layer, places] of layers.entries()) {
    for (let head = 0; head < kvHeads; head++) {
      const from = places.offsets[head] ?? 0;
      const block = (begins[layer] ?? 0) + from / tokens;
      heads.set([block, entries + from, headLength(places, head)], (layer * kvHeads + head) * 4);
    }
    entries += places.positions.length;
  }
  return heads;
}
