/**
 * The older entries of a cache in a compact form: blocks of some tokens each, which belong to one KV head of one layer, or of two.
 *
 * All layers' blocks are one allocation, layer after layer, head after head, oldest first, so that the graph takes in four arrays
 * and not four of every layer. Never changed once made: what joins them makes new ones (settle.ts).
 */
import { KvError } from "../../error.ts";
import type { CacheGeometry, Places } from "../layer.ts";
import type { Block } from "./block.ts";
import { type CompactForm, layoutsOf } from "./form.ts";

export interface CompactEntries {
  readonly form: CompactForm;
  /** All blocks, one after the other. */
  readonly keys: Block;
  readonly values: Block;
  readonly layers: readonly Places[];
  /** Each layer's first block: layers that share blocks begin at the same. */
  readonly begins: readonly number[];
  /** What a layer's entries are times the numbers of their blocks, [entries of all layers]; null where blocks say all. */
  readonly norms: { readonly keys: Float32Array; readonly values: Float32Array } | null;
}

/** A form that holds nothing yet. */
export function emptyCompact(form: CompactForm, { layers, kvHeads }: CacheGeometry): CompactEntries {
  const nothing = { codes: new Uint8Array(0), floats: new Float32Array(0) };
  const layer = { positions: new Int32Array(0), offsets: new Int32Array(kvHeads + 1) };
  const all = { layers: new Array<Places>(layers).fill(layer), begins: new Array<number>(layers).fill(0) };
  return { form, keys: nothing, values: nothing, ...all, norms: null };
}

/** Bytes of codes, scales and offsets, or numbers, of norms, and of the list of channels. */
export const bytesOf = ({ form, keys, values, norms }: CompactEntries): number =>
  [keys.codes, keys.floats, values.codes, values.floats, norms?.keys, norms?.values, form.channels].reduce(
    (sum, array) => sum + (array?.byteLength ?? 0),
    0,
  );

/** Generated tokens that are still to come until they are enough for a block of every head, and settle; Infinity where they never do. */
export const untilDue = ({ form }: CompactEntries, tailLength: number, geometry: CacheGeometry): number =>
  form.bits === null ? Number.POSITIVE_INFINITY : layoutsOf(form, geometry).keys.tokens - tailLength;

/** @throws KvError `invalid_option` */
export function refuseEviction(): never {
  throw new KvError({
    code: "invalid_option",
    path: ["evict"],
    found: "a policy for a cache with compact entries",
    allowed: "left out for such a cache",
    hint: "what shares a scale or a direction cannot go one by one",
  });
}
