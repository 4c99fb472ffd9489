/**
 * Quantised matrices as they are stored, for kernels that multiply whole numbers: blocks taken apart, nothing requantised.
 *
 * Whatever the type, with z = 2^(bits - 1):
 *
 *   value = (q - z) scale + offset
 *
 * - Q8_0: 8 bits, q is the stored byte + 128, no offset
 * - Q4_0: 4 bits, no offset
 * - Q4_1: 4 bits, offset = m + 8 d. The one sum that may be rounded (to fp32): exact unless m and 8 d, both f16, differ by
 *   2^13 or more, and so are nothing beside each other.
 * - Q5_0, Q5_1: 8 bits, with no offset and with m
 * - Q3_K, Q6_K: 4 and 8 bits, no offset
 * - Q2_K, Q4_K: 4 bits, offset = 8 scale - minimum, rounded; Q5_K: 8 bits, offset = -minimum
 */
import { fives } from "./fives.ts";
import { halfAt } from "./half.ts";
import { type KQuant, kQuants, SUPER_BLOCK } from "./k-quants.ts";
import type { WeightType } from "./weights.ts";

/** A matrix [rows, columns] in blocks along its rows. A reading fills an array with as many rows as it holds, from row `first` on (default: 0). */
export interface QuantisedMatrix {
  readonly bits: 4 | 8;
  /** Columns that share a scale. */
  readonly block: 16 | 32;
  /** [rows, columns bits / 8]: q, in the order of the columns; of two in a byte, the first is the low nibble. */
  quants(into: Uint8Array<ArrayBuffer>, first?: number): void;
  /** [rows, columns / block] */
  scales(into: Float32Array<ArrayBuffer>, first?: number): void;
  /** [rows, columns / block]; null where the type has none. */
  readonly offsets: ((into: Float32Array<ArrayBuffer>, first?: number) => void) | null;
}

/** How the blocks of one type come apart; each part is decoded from whole blocks, as `dequantise` does. */
export interface BlockParts extends Pick<QuantisedMatrix, "bits" | "block"> {
  readonly quants: (bytes: Uint8Array, out: Uint8Array) => void;
  readonly scales: (bytes: Uint8Array, out: Float32Array) => void;
  readonly offsets: ((bytes: Uint8Array, out: Float32Array) => void) | null;
}

/** undefined for the types that are not quantised. */
export const blockParts = (type: WeightType): BlockParts | undefined => parts[type];

const scalesOf = (blockBytes: number) => (bytes: Uint8Array, out: Float32Array) => {
  for (let i = 0, p = 0; i < out.length; i++, p += blockBytes) out[i] = halfAt(bytes, p);
};

/** From GGUF's order, elements i and i + 16 in a byte, to 2 i and 2 i + 1. */
const nibblesOf = (blockBytes: number) => (bytes: Uint8Array, out: Uint8Array) => {
  for (let i = 0, p = blockBytes - 16; i < out.length; i += 16, p += blockBytes) {
    for (let j = 0; j < 8; j++) {
      const [first, second] = [bytes[p + 2 * j] ?? 0, bytes[p + 2 * j + 1] ?? 0];
      out[i + j] = (first & 15) | ((second & 15) << 4);
      out[i + j + 8] = (first >> 4) | (second & 0xf0);
    }
  }
};

/** Five bits as a byte, moved by `zero`. */
const fivesOf = (blockBytes: number, zero: number) => (bytes: Uint8Array, out: Uint8Array) => {
  for (let i = 0, p = blockBytes - 20; i < out.length; i += 32, p += blockBytes) {
    fives(bytes, p, (j, q) => {
      out[i + j] = q + zero;
    });
  }
};

/** @param minima whether the type has them; its q then begin at 0, else they lie about it */
function superBlockParts(
  { bytes: size, group, quants, scales }: KQuant,
  { bits, minima }: { readonly bits: 4 | 8; readonly minima: boolean },
): BlockParts {
  const middle = 2 ** (bits - 1);
  // Four bits have no room for a q from 0 to 15 to be moved, so the offset is.
  const moved = bits === 4 && minima ? 0 : middle;
  const groups = SUPER_BLOCK / group;
  const perGroup = (value: (scale: number, minimum: number) => number) => (bytes: Uint8Array, out: Float32Array) => {
    const [own, least] = [new Float64Array(groups), new Float64Array(groups)];
    for (let i = 0, p = 0; i < out.length; i += groups, p += size) {
      scales(bytes, p, own, least);
      for (let g = 0; g < groups; g++) out[i + g] = value(own[g] ?? 0, least[g] ?? 0);
    }
  };
  return {
    bits,
    block: group,
    quants(bytes, out) {
      const q = new Int16Array(SUPER_BLOCK);
      const width = (SUPER_BLOCK * bits) / 8;
      for (let i = 0, p = 0; i < out.length; i += width, p += size) {
        quants(bytes, p, q);
        const code = (j: number) => (q[j] ?? 0) + moved;
        for (let j = 0; j < width; j++) out[i + j] = bits === 8 ? code(j) : code(2 * j) | (code(2 * j + 1) << 4);
      }
    },
    scales: perGroup((scale) => scale),
    offsets: minima ? perGroup((scale, minimum) => (middle - moved) * scale - minimum) : null,
  };
}

const parts: Partial<Readonly<Record<WeightType, BlockParts>>> = {
  Q8_0: {
    bits: 8,
    block: 32,
    quants(bytes, out) {
      for (let i = 0, p = 2; i < out.length; i += 32, p += 34) {
        for (let j = 0; j < 32; j++) out[i + j] = (bytes[p + j] ?? 0) ^ 0x80; // two's complement + 128
      }
    },
    scales: scalesOf(34),
    offsets: null,
  },
  Q4_0: { bits: 4, block: 32, quants: nibblesOf(18), scales: scalesOf(18), offsets: null },
  Q4_1: {
    bits: 4,
    block: 32,
    quants: nibblesOf(20),
    scales: scalesOf(20),
    offsets(bytes, out) {
      for (let i = 0, p = 0; i < out.length; i++, p += 20) out[i] = halfAt(bytes, p + 2) + 8 * halfAt(bytes, p);
    },
  },
  Q5_0: { bits: 8, block: 32, quants: fivesOf(22, 112), scales: scalesOf(22), offsets: null },
  Q5_1: {
    bits: 8,
    block: 32,
    quants: fivesOf(24, 128),
    scales: scalesOf(24),
    offsets(bytes, out) {
      for (let i = 0, p = 0; i < out.length; i++, p += 24) out[i] = halfAt(bytes, p + 2);
    },
  },
  Q2_K: superBlockParts(kQuants.Q2_K, { bits: 4, minima: true }),
  Q3_K: superBlockParts(kQuants.Q3_K, { bits: 4, minima: false }),
  Q4_K: superBlockParts(kQuants.Q4_K, { bits: 4, minima: true }),
  Q5_K: superBlockParts(kQuants.Q5_K, { bits: 8, minima: true }),
  Q6_K: superBlockParts(kQuants.Q6_K, { bits: 8, minima: false }),
};
