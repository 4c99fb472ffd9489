/**
 * GGUF's K-quants: super-blocks of 256 elements, in groups of 16 or 32 that have a scale each, and some a minimum. Both are whole
 * numbers, s and t, in units of the super-block, d and m (f16).
 *
 *   value = q (d s) - m t        one rounding, to fp32: the products are exact
 *
 * type  q                s, t                a super-block's bytes
 * Q2_K  2 bits           4 and 4 bits        16 of t s, 64 of q, d, m
 * Q3_K  3 bits less 4    6 bits less 32      32 of q's highest bits, 64 of its others, 12 of s, d
 * Q4_K  4 bits           6 and 6 bits        d, m, 12 of s and t, 128 of q
 * Q5_K  5 bits           6 and 6 bits        d, m, 12 of s and t, 32 of q's highest bits, 128 of its others
 * Q6_K  6 bits less 32   a signed byte       128 of q's lower four bits, 64 of its highest two, 16 of s, d
 *
 * @see https://github.com/ggml-org/llama.cpp/pull/1684
 */

import { halfAt } from "./half.ts";
import type { KQuantType } from "./weights.ts";

export const SUPER_BLOCK = 256;

/** How one type's super-blocks come apart. */
export interface KQuant {
  /** Of a super-block. */
  readonly bytes: number;
  /** Elements that share a scale. */
  readonly group: 16 | 32;
  /** The 256 numbers q of the super-block at a byte offset. */
  quants(bytes: Uint8Array, at: number, q: Int16Array): void;
  /** Its groups' scales d s, and minima m t. */
  scales(bytes: Uint8Array, at: number, scales: Float64Array, minima: Float64Array): void;
}

/** Decodes whole super-blocks into `out`, which they fill. */
export function dequantiseK(
  { bytes: size, group, quants, scales: scalesOf }: KQuant,
  bytes: Uint8Array,
  out: Float32Array,
): void {
  const q = new Int16Array(SUPER_BLOCK);
  const [scales, minima] = [new Float64Array(SUPER_BLOCK / group), new Float64Array(SUPER_BLOCK / group)];
  for (let block = 0; block < out.length / SUPER_BLOCK; block++) {
    quants(bytes, block * size, q);
    scalesOf(bytes, block * size, scales, minima);
    for (let g = 0; g < scales.length; g++) {
      const [scale, minimum] = [scales[g] ?? 0, minima[g] ?? 0];
      const from = block * SUPER_BLOCK + g * group;
      for (let j = 0; j < group; j++) out[from + j] = (q[g * group + j] ?? 0) * scale - minimum;
    }
  }
}

export const kQuants: Readonly<Record<KQuantType, KQuant>> = {
  Q2_K: {
    bytes: 84,
    group: 16,
    quants: (bytes, at, q) => unpack(bytes, at + 16, { width: 32, bits: 2 }, q.fill(0)),
    scales(bytes, at, scales, minima) {
      const [d, m] = [halfAt(bytes, at + 80), halfAt(bytes, at + 82)];
      for (let g = 0; g < 16; g++) {
        const both = bytes[at + g] ?? 0;
        scales[g] = d * (both & 15);
        minima[g] = m * (both >> 4);
      }
    },
  },
  Q3_K: {
    bytes: 110,
    group: 16,
    quants(bytes, at, q) {
      unpack(bytes, at + 32, { width: 32, bits: 2 }, q.fill(-4));
      unpack(bytes, at, { width: 32, bits: 1, unit: 4 }, q);
    },
    scales(bytes, at, scales, minima) {
      const d = halfAt(bytes, at + 108);
      for (let g = 0; g < 16; g++) {
        const low = ((bytes[at + 96 + (g & 7)] ?? 0) >> (g < 8 ? 0 : 4)) & 15;
        const high = ((bytes[at + 104 + (g & 3)] ?? 0) >> (2 * (g >> 2))) & 3;
        scales[g] = d * ((low | (high << 4)) - 32);
        minima[g] = 0;
      }
    },
  },
  Q4_K: {
    bytes: 144,
    group: 32,
    quants: (bytes, at, q) => unpack(bytes, at + 16, { width: 32, bits: 4 }, q.fill(0)),
    scales: sixBits,
  },
  Q5_K: {
    bytes: 176,
    group: 32,
    quants(bytes, at, q) {
      unpack(bytes, at + 48, { width: 32, bits: 4 }, q.fill(0));
      unpack(bytes, at + 16, { width: 32, bits: 1, unit: 16 }, q);
    },
    scales: sixBits,
  },
  Q6_K: {
    bytes: 210,
    group: 16,
    quants(bytes, at, q) {
      unpack(bytes, at, { width: 64, bits: 4 }, q.fill(-32));
      unpack(bytes, at + 128, { width: 32, bits: 2, unit: 16 }, q);
    },
    scales(bytes, at, scales, minima) {
      const d = halfAt(bytes, at + 208);
      for (let g = 0; g < 16; g++) {
        scales[g] = d * (((bytes[at + 192 + g] ?? 0) << 24) >> 24); // as a signed byte
        minima[g] = 0;
      }
    },
  },
};

interface Packing {
  /** Bytes that lie together: the first bits of all, then the next bits of all, are elements in turn. */
  readonly width: 32 | 64;
  readonly bits: 1 | 2 | 4;
  /** What the lowest of the bits counts for; default 1. */
  readonly unit?: number;
}

/** Adds some bits of every element to 256 numbers. */
function unpack(bytes: Uint8Array, from: number, { width, bits, unit = 1 }: Packing, q: Int16Array): void {
  const mask = (1 << bits) - 1;
  let element = 0;
  for (let group = from; element < SUPER_BLOCK; group += width) {
    for (let shift = 0; shift < 8; shift += bits) {
      for (let j = 0; j < width; j++, element++) {
        q[element] = (q[element] ?? 0) + (((bytes[group + j] ?? 0) >> shift) & mask) * unit;
      }
    }
  }
}

/** d, m, and eight pairs of six bits in 12 bytes: of the last four pairs, the highest two bits are in the bytes of the first four. */
function sixBits(bytes: Uint8Array, at: number, scales: Float64Array, minima: Float64Array): void {
  const [d, m] = [halfAt(bytes, at), halfAt(bytes, at + 2)];
  const byte = (i: number) => bytes[at + 4 + i] ?? 0;
  for (let g = 0; g < 4; g++) {
    scales[g] = d * (byte(g) & 63);
    minima[g] = m * (byte(g + 4) & 63);
    scales[g + 4] = d * ((byte(g + 8) & 15) | ((byte(g) >> 2) & 0x30));
    minima[g + 4] = m * ((byte(g + 8) >> 4) | ((byte(g + 4) >> 2) & 0x30));
  }
}
