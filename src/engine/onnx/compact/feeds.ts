/** What the decoder graph is fed for entries in a compact form: their blocks, as they lie in the cache. */
import { codeBytes, floatCount } from "../../../cache/compact/block.ts";
import type { CompactEntries } from "../../../cache/compact/entries.ts";
import { layoutsOf } from "../../../cache/compact/form.ts";
import { offsetsOf } from "../../../cache/layer.ts";
import type { ModelConfig } from "../../../model/config.ts";
import type { Feed } from "../../../onnx/session.ts";
import { NO, YES } from "../flags.ts";
import type { Feeds } from "../rows.ts";

const ONE: Feed = { data: Float32Array.of(1), dims: [1] };
const bytes = (data: Uint8Array, ...dims: readonly number[]): Feed => ({ data, dims, type: "uint8" });

/** For runs that do not look at them. */
export function idleCompact({ layers, kvHeads }: ModelConfig): Feeds {
  const codes = bytes(new Uint8Array(1), 1, 1);
  const floats: Feed = { data: new Float32Array(2), dims: [1, 2] };
  return {
    compact: NO,
    "older.k.codes": codes,
    "older.k.floats": floats,
    "older.v.codes": codes,
    "older.v.floats": floats,
    "older.blocks": { data: new BigInt64Array(layers * 2), dims: [layers * 2] },
    "older.quantised": NO,
    "older.shifts": codes,
    "older.mask": bytes(new Uint8Array(1), 1),
    "older.channels": { data: new BigInt64Array(layers * kvHeads), dims: [layers, kvHeads, 1] },
    "older.k.norms": ONE,
    "older.v.norms": ONE,
    "older.ofNorms": { data: new BigInt64Array(layers * 2), dims: [layers * 2] },
  };
}

const known = new WeakMap<CompactEntries, Feeds>();

/** Made once for each state of a cache's compact entries. */
export function compactFeeds(config: ModelConfig, compact: CompactEntries): Feeds {
  const feeds = known.get(compact) ?? made(config, compact);
  known.set(compact, feeds);
  return feeds;
}

function made(config: ModelConfig, { form, keys, values, layers, begins, norms }: CompactEntries): Feeds {
  const layouts = layoutsOf(form, config);
  const { tokens, width, bits } = layouts.keys;
  const total = values.floats.length / floatCount(layouts.values);
  const bounds = layers.flatMap(({ positions }, layer) => {
    const begin = begins[layer] ?? 0;
    return [begin, begin + positions.length / tokens];
  });
  const shifts = bits === null ? [0] : Array.from({ length: 8 / bits }, (_, slab) => slab * bits);
  const channels =
    form.channels ?? Int32Array.from({ length: config.layers * config.kvHeads * width }, (_, i) => i % width);
  return {
    compact: YES,
    "older.k.codes": bytes(keys.codes, total, codeBytes(layouts.keys)),
    "older.k.floats": { data: keys.floats, dims: [total, floatCount(layouts.keys)] },
    "older.v.codes": bytes(values.codes, total, codeBytes(layouts.values)),
    "older.v.floats": { data: values.floats, dims: [total, floatCount(layouts.values)] },
    "older.blocks": { data: BigInt64Array.from(bounds, BigInt), dims: [bounds.length] },
    "older.quantised": bits === null ? NO : YES,
    "older.shifts": bytes(Uint8Array.from(shifts), shifts.length, 1),
    "older.mask": bytes(Uint8Array.of(2 ** (bits ?? 0) - 1), 1),
    "older.channels": { data: BigInt64Array.from(channels, BigInt), dims: [config.layers, config.kvHeads, width] },
    "older.k.norms": vector(norms?.keys),
    "older.v.norms": vector(norms?.values),
    "older.ofNorms": ofNorms(layers, norms !== null),
  };
}

const vector = (norms: Float32Array | undefined): Feed =>
  norms === undefined || norms.length === 0 ? ONE : { data: norms, dims: [norms.length] };

/** Each layer's first norm, and the one after its last. Layers without norms, or without entries, take the first of all. */
function ofNorms(layers: CompactEntries["layers"], present: boolean): Feed {
  const ends = offsetsOf(layers.map(({ positions }) => positions.length));
  const bounds = layers.flatMap(({ positions }, layer) =>
    present && positions.length > 0 ? [ends[layer] ?? 0, ends[layer + 1] ?? 0] : [0, 1],
  );
  return { data: BigInt64Array.from(bounds, BigInt), dims: [bounds.length] };
}
