/**
 * Matrices of random Q4_0 numbers, made row by row where they are asked for and held nowhere: a matrix is its seed. Equal seeds give equal
 * rows, whoever asks for which of them first.
 */
import type { QuantisedMatrix } from "../../src/model/weights/quantised.ts";

export interface RandomMatrix {
  readonly rows: number;
  /** A multiple of 32. */
  readonly columns: number;
  /** As its blocks have it. */
  readonly quantised: QuantisedMatrix;
  /** Some rows as numbers: [rows, columns]. */
  readRows(rows: ArrayLike<number>): Float32Array<ArrayBuffer>;
}

const BLOCK = 32;
/** Of q - 8, where q is 8 twice as often as any other number from 1 to 15: no average, so that products have none either. */
const SPREAD = Math.sqrt(280 / 16);
const SCALES = 256;

export function randomMatrix(rows: number, columns: number, seed: number): RandomMatrix {
  const words = columns / 8;
  const blocks = columns / BLOCK;
  // What a row of normalised numbers is multiplied with comes out normalised.
  const scales = Float16Array.from({ length: SCALES }, (_, i) => (0.5 + i / SCALES) / (SPREAD * Math.sqrt(columns)));
  const scaleRow = (row: number, into: Float32Array, from: number) => {
    let state = stateOf(seed, 2 * row + 1);
    for (let i = 0; i < blocks; i++) {
      state = next(state);
      into[from + i] = scales[state >>> 24] ?? 0;
    }
  };
  const quantRow = (row: number, into: Uint32Array, from: number) => {
    let state = stateOf(seed, 2 * row);
    for (let i = 0; i < words; i++) {
      state = next(state);
      const present = state | (state >>> 1) | (state >>> 2) | (state >>> 3);
      into[from + i] = state | ((~present & 0x11111111) << 3); // an 8 where four bits are 0
    }
  };
  /** As many rows as there is room for. */
  const eachRow = (first: number, room: number, width: number, fill: (row: number, at: number) => void) => {
    for (let at = 0; at < room; at += width) fill(first + at / width, at);
  };
  return {
    rows,
    columns,
    quantised: {
      bits: 4,
      block: BLOCK,
      quants: (into, first = 0) => {
        const aligned = new Uint32Array(into.buffer, into.byteOffset, into.byteLength / 4);
        eachRow(first, aligned.length, words, (row, at) => quantRow(row, aligned, at));
      },
      scales: (into, first = 0) => eachRow(first, into.length, blocks, (row, at) => scaleRow(row, into, at)),
      offsets: null,
    },
    readRows(wanted) {
      const out = new Float32Array(wanted.length * columns);
      const [quants, own] = [new Uint32Array(words), new Float32Array(blocks)];
      for (let i = 0; i < wanted.length; i++) {
        quantRow(wanted[i] ?? 0, quants, 0);
        scaleRow(wanted[i] ?? 0, own, 0);
        for (let c = 0; c < columns; c++) {
          const q = ((quants[c >>> 3] ?? 0) >>> (4 * (c % 8))) & 15;
          out[i * columns + c] = (q - 8) * (own[Math.floor(c / BLOCK)] ?? 0);
        }
      }
      return out;
    },
  };
}

/** Marsaglia's xorshift of 32 bits, which makes a gigabyte in a second; never 0. */
function next(state: number): number {
  let bits = state;
  bits ^= bits << 13;
  bits ^= bits >>> 17;
  return bits ^ (bits << 5);
}

/** Where a row begins: seeds and rows that are neighbours begin far apart (the end of MurmurHash3). */
function stateOf(seed: number, row: number): number {
  let bits = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(row + 1, 0xc2b2ae35);
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return bits ^ (bits >>> 16) || 1;
}
