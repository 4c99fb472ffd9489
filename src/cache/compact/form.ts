/** In which form a cache keeps its older entries: the newest ones, and the tail, are fp32. */
import type { CacheGeometry } from "../layer.ts";
import type { BlockLayout } from "./block.ts";
import type { Bits } from "./group.ts";

/** Tokens that are quantised together: KIVI's group. */
export const GROUP = 32;

export interface CompactForm {
  /** Of a code; null keeps numbers in fp32. */
  readonly bits: Bits | null;
  /** Newest entries of each KV head that stay as they are, at least. */
  readonly recent: number;
  /** Channels that older keys keep, ascending: [L, KH, d']; null for all of them. */
  readonly channels: Int32Array | null;
}

/** How the blocks of a form's keys and values are laid out. In fp32 a block is a token. */
export function layoutsOf(
  { bits, channels }: CompactForm,
  { layers, kvHeads, headDim }: CacheGeometry,
): { readonly keys: BlockLayout; readonly values: BlockLayout } {
  const tokens = bits === null ? 1 : GROUP;
  const width = channels === null ? headDim : channels.length / (layers * kvHeads);
  return {
    keys: { tokens, width, bits, groups: "perChannel" },
    values: { tokens, width: headDim, bits, groups: "perToken" },
  };
}

/** The channels of one head's keys that are kept; null for all. */
export function channelsOf(
  { channels }: CompactForm,
  { layers, kvHeads }: CacheGeometry,
  layer: number,
  head: number,
): Int32Array | null {
  if (channels === null) return null;
  const width = channels.length / (layers * kvHeads);
  const from = (layer * kvHeads + head) * width;
  return channels.subarray(from, from + width);
}
