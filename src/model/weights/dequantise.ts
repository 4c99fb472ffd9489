/**
 * Stored weights to fp32: six types, each a loop over blocks.
 *
 * A block is the smallest unit that can be decoded alone: one element, or the 32 of a GGUF quantised block
 * (d and m are f16 and little-endian):
 *
 * - Q8_0: d, 32 signed bytes q          value = q d
 * - Q4_0: d, 16 bytes of two nibbles    value = (q - 8) d
 * - Q4_1: d, m, 16 bytes of two nibbles value = q d + m
 *
 * Low nibbles are elements 0 to 15, high nibbles 16 to 31. Every value is exact before its one rounding to fp32.
 */

import type { WeightType } from "./weights.ts";

/** Elements and bytes of one block of each type. */
export const blocks: Readonly<Record<WeightType, { readonly elements: number; readonly bytes: number }>> = {
  F32: { elements: 1, bytes: 4 },
  F16: { elements: 1, bytes: 2 },
  BF16: { elements: 1, bytes: 2 },
  Q8_0: { elements: 32, bytes: 34 },
  Q4_0: { elements: 32, bytes: 18 },
  Q4_1: { elements: 32, bytes: 20 },
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
};

const half = (table: Float32Array, bytes: Uint8Array, at: number): number =>
  table[(bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8)] ?? 0;

/** The little-endian binary16 at a byte offset. */
export const halfAt = (bytes: Uint8Array, at: number): number => half(halves(), bytes, at);

let table: Float32Array | undefined;

/** The value of every 16-bit pattern: 256 KiB, made at first use. */
function halves(): Float32Array {
  table ??= Float32Array.from({ length: 1 << 16 }, (_, bits) => halfValue(bits));
  return table;
}

/** IEEE 754 binary16: one sign bit, five of exponent, ten of fraction. */
export function halfValue(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = (bits & 1023) / 1024;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return exponent === 0 ? sign * fraction * 2 ** -14 : sign * (1 + fraction) * 2 ** (exponent - 15);
}
