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
 */
import { halfAt } from "./half.ts";
import type { WeightType } from "./weights.ts";

/** A matrix [rows, columns] in blocks of 32 along its rows. Each reading fills an array of just its size. */
export interface QuantisedMatrix {
  readonly bits: 4 | 8;
  /** [rows, columns bits / 8]: q, in the order of the columns; of two in a byte, the first is the low nibble. */
  quants(into: Uint8Array<ArrayBuffer>): void;
  /** [rows, columns / 32] */
  scales(into: Float32Array<ArrayBuffer>): void;
  /** [rows, columns / 32]; null where the type has none. */
  readonly offsets: ((into: Float32Array<ArrayBuffer>) => void) | null;
}

export const BLOCK = 32;

/** How the blocks of one type come apart; each part is decoded from whole blocks, as `dequantise` does. */
export interface BlockParts {
  readonly bits: 4 | 8;
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

const parts: Partial<Readonly<Record<WeightType, BlockParts>>> = {
  Q8_0: {
    bits: 8,
    quants(bytes, out) {
      for (let i = 0, p = 2; i < out.length; i += 32, p += 34) {
        for (let j = 0; j < 32; j++) out[i + j] = (bytes[p + j] ?? 0) ^ 0x80; // two's complement + 128
      }
    },
    scales: scalesOf(34),
    offsets: null,
  },
  Q4_0: { bits: 4, quants: nibblesOf(18), scales: scalesOf(18), offsets: null },
  Q4_1: {
    bits: 4,
    quants: nibblesOf(20),
    scales: scalesOf(20),
    offsets(bytes, out) {
      for (let i = 0, p = 0; i < out.length; i++, p += 20) out[i] = halfAt(bytes, p + 2) + 8 * halfAt(bytes, p);
    },
  },
};
