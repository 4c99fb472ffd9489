/**
 * A block of a few tokens' keys, or values, as it is stored: packed codes with a scale and an offset per group, or fp32.
 *
 * Keys are quantised per channel, in groups of the block's tokens, because a few channels of keys are far larger than the
 * others; values per token, in groups of channels (KIVI). Codes lie in slabs: byte j holds those of numbers j, j + m, j + 2m ... of the
 * block, the first in its lowest bits, m being the block's bytes. So one shift of a whole block gives a whole slab.
 */
import { type Affine, affineOf, type Bits, codeOf, type Group, numberOf } from "./group.ts";

/** How a block of [tokens, width] numbers is stored. */
export interface BlockLayout {
  readonly tokens: number;
  readonly width: number;
  /** null for fp32. */
  readonly bits: Bits | null;
  /** Whether a group is a channel of all tokens, or some channels of one token. */
  readonly groups: "perChannel" | "perToken";
}

/** A stored block: views of where it lies. */
export interface Block {
  /** [tokens * width * bits / 8]; nothing in fp32. */
  readonly codes: Uint8Array;
  /** Every group's scale, then every group's lowest number; in fp32 the numbers. */
  readonly floats: Float32Array;
}

/** Channels of a value that share a scale: 32, or all where they do not divide. */
export const channelGroup = (width: number): number => (width % 32 === 0 ? 32 : width);

const groupCount = ({ tokens, width, groups }: BlockLayout): number =>
  groups === "perChannel" ? width : (tokens * width) / channelGroup(width);

export const codeBytes = ({ tokens, width, bits }: BlockLayout): number => (tokens * width * (bits ?? 0)) / 8;

export const floatCount = (layout: BlockLayout): number =>
  layout.bits === null ? layout.tokens * layout.width : 2 * groupCount(layout);

/** Writes [tokens, width] numbers into a block. */
export function encode(layout: BlockLayout, numbers: Float32Array, { codes, floats }: Block): void {
  const { bits } = layout;
  if (bits === null) {
    floats.set(numbers);
    return;
  }
  const groups = groupCount(layout);
  for (let i = 0; i < groups; i++) {
    const group = groupAt(layout, i);
    const affine = affineOf(numbers, group, bits);
    floats[i] = affine.scale;
    floats[groups + i] = affine.low;
    for (let k = 0; k < group.size; k++) {
      const at = group.at + k * group.stride;
      const byte = at % codes.length;
      const shift = Math.floor(at / codes.length) * bits;
      codes[byte] = (codes[byte] ?? 0) | (codeOf(numbers[at] ?? 0, affine, bits) << shift);
    }
  }
}

/** The numbers that a block stands for: [tokens, width]. */
export function decode(layout: BlockLayout, { codes, floats }: Block): Float32Array {
  const { bits } = layout;
  if (bits === null) return floats.slice();
  const numbers = new Float32Array(layout.tokens * layout.width);
  const groups = groupCount(layout);
  for (let i = 0; i < groups; i++) {
    const group = groupAt(layout, i);
    const affine: Affine = { scale: floats[i] ?? 0, low: floats[groups + i] ?? 0 };
    for (let k = 0; k < group.size; k++) {
      const at = group.at + k * group.stride;
      const code = ((codes[at % codes.length] ?? 0) >> (Math.floor(at / codes.length) * bits)) & (2 ** bits - 1);
      numbers[at] = numberOf(code, affine);
    }
  }
  return numbers;
}

function groupAt({ tokens, width, groups }: BlockLayout, i: number): Group {
  if (groups === "perChannel") return { at: i, size: tokens, stride: width };
  const size = channelGroup(width);
  return { at: i * size, size, stride: 1 };
}
