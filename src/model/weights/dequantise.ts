/**
 * Stored weights to fp32: each type a loop over blocks.
 *
 * A block is the smallest unit that can be decoded alone: one element, the 256 of a K-quant (k-quants.ts), or the 32 of another
 * GGUF quantised block (d and m are f16 and little-endian):
 *
 * - Q8_0: d, 32 signed bytes q                             value = q d
 * - Q4_0: d, 16 bytes of two nibbles                       value = (q - 8) d
 * - Q4_1: d, m, 16 bytes of two nibbles                    value = q d + m
 * - Q5_0: d, 32 bits, each q's highest, 16 bytes of nibbles    value = (q - 16) d
 * - Q5_1: d, m, the same                                   value = q d + m
 *
 * Low nibbles are elements 0 to 15, high nibbles 16 to 31. Every value is exact before its one rounding to fp32.
 */

import { fives } from "./fives.ts";
import { half, halves } from "./half.ts";
import { dequantiseK, kQuants } from "./k-quants.ts";
import type { WeightType } from "./weights.ts";

/** Elements and bytes of one block of each type. */
export const blocks: Readonly<Record<WeightType, { readonly elements: number; readonly bytes: number }>> = {
  F32: { elements: 1, bytes: 4 },
  F16: { elements: 1, bytes: 2 },
  BF16: { elements: 1, bytes: 2 },
  Q8_0: { elements: 32, bytes: 34 },
  Q4_0: { elements: 32, bytes: 18 },
  Q4_1: { elements: 32, bytes: 20 },
  Q5_0: { elements: 32, bytes: 22 },
  Q5_1: { elements: 32, bytes: 24 },
  Q2_K: { elements: 256, bytes: kQuants.Q2_K.bytes },
  Q3_K: { elements: 256, bytes: kQuants.Q3_K.bytes },
  Q4_K: { elements: 256, bytes: kQuants.Q4_K.bytes },
  Q5_K: { elements: 256, bytes: kQuants.Q5_K.bytes },
  Q6_K: { elements: 256, bytes: kQuants.Q6_K.bytes },
};

/** Bytes that `elements` values take; `elements` is a whole number of blocks. */
export const storedBytes = (type: WeightType, elements: number): number =>
  (elements / blocks[type].elements) * blocks[type].bytes;

/**
 * Decodes `bytes` into `out`, which it fills.
 *
 * @param bytes a whole number of blocks, `storedBytes(type, out.length)` long
 */
export function dequantise(type: WeightType, bytes: Uint8Array<ArrayBuffer>, out: Float32Array<ArrayBuffer>): void {
  decoders[type](bytes, out);
}

type Decoder = (bytes: Uint8Array<ArrayBuffer>, out: Float32Array<ArrayBuffer>) => void;

const decoders: Readonly<Record<WeightType, Decoder>> = {
  F32: (bytes, out) => new Uint8Array(out.buffer, out.byteOffset, out.byteLength).set(bytes),

  F16(bytes, out) {
    const table = halves();
    for (let i = 0, p = 0; i < out.length; i++, p += 2) out[i] = half(table, bytes, p);
  },

  BF16(bytes, out) {
    const bits = new Uint32Array(out.buffer, out.byteOffset, out.length);
    for (let i = 0, p = 0; i < bits.length; i++, p += 2) {
      bits[i] = ((bytes[p] ?? 0) << 16) | ((bytes[p + 1] ?? 0) << 24);
    }
  },

  Q8_0(bytes, out) {
    const table = halves();
    const signed = new Int8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let i = 0, p = 0; i < out.length; i += 32, p += 34) {
      const d = half(table, bytes, p);
      for (let j = 0; j < 32; j++) out[i + j] = (signed[p + 2 + j] ?? 0) * d;
    }
  },

  Q4_0(bytes, out) {
    const table = halves();
    for (let i = 0, p = 0; i < out.length; i += 32, p += 18) {
      const d = half(table, bytes, p);
      for (let j = 0; j < 16; j++) {
        const pair = bytes[p + 2 + j] ?? 0;
        out[i + j] = ((pair & 15) - 8) * d;
        out[i + j + 16] = ((pair >> 4) - 8) * d;
      }
    }
  },

  Q4_1(bytes, out) {
    const table = halves();
    for (let i = 0, p = 0; i < out.length; i += 32, p += 20) {
      const d = half(table, bytes, p);
      const m = half(table, bytes, p + 2);
      for (let j = 0; j < 16; j++) {
        const pair = bytes[p + 4 + j] ?? 0;
        out[i + j] = (pair & 15) * d + m;
        out[i + j + 16] = (pair >> 4) * d + m;
      }
    }
  },

  Q5_0(bytes, out) {
    const table = halves();
    for (let i = 0, p = 0; i < out.length; i += 32, p += 22) {
      const d = half(table, bytes, p);
      fives(bytes, p + 2, (j, q) => {
        out[i + j] = (q - 16) * d;
      });
    }
  },

  Q5_1(bytes, out) {
    const table = halves();
    for (let i = 0, p = 0; i < out.length; i += 32, p += 24) {
      const d = half(table, bytes, p);
      const m = half(table, bytes, p + 2);
      fives(bytes, p + 4, (j, q) => {
        out[i + j] = q * d + m;
      });
    }
  },

  Q2_K: (bytes, out) => dequantiseK(kQuants.Q2_K, bytes, out),
  Q3_K: (bytes, out) => dequantiseK(kQuants.Q3_K, bytes, out),
  Q4_K: (bytes, out) => dequantiseK(kQuants.Q4_K, bytes, out),
  Q5_K: (bytes, out) => dequantiseK(kQuants.Q5_K, bytes, out),
  Q6_K: (bytes, out) => dequantiseK(kQuants.Q6_K, bytes, out),
};
