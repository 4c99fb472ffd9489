import type { CacheGeometry } from "./layer.ts";

/**
 * The entries of the tokens generated since the last eviction, if there was one, which every layer and KV head keeps: [capacity,
 * L * 2 * KH * d], a token's row being [L, 2, KH, d]. Capacity doubles, so that an append costs amortised constant time.
 */
export interface Tail {
  readonly data: Float32Array;
  readonly length: number;
}

/** Entries a tail starts with, per KV head; capacities are this times a power of two. */
export const TAIL_PAGE = 16;

/** Numbers of one token in all layers. */
export const rowLength = ({ layers, kvHeads, headDim }: CacheGeometry): number => layers * 2 * kvHeads * headDim;

export const emptyTail: Tail = { data: new Float32Array(0), length: 0 };

/** A tail of these rows, with the room that as many appended ones would have. */
export function tailOf(rows: Float32Array, length: number): Tail {
  if (length === 0) return emptyTail;
  const capacity = TAIL_PAGE * 2 ** Math.max(0, Math.ceil(Math.log2(length / TAIL_PAGE)));
  return { data: grown(rows, capacity * (rows.length / length)), length };
}

/** The tail with one more row. The old value must not be used again: both may share memory. */
export function appendRow({ data, length }: Tail, row: Float32Array): Tail {
  const full = data.length < (length + 1) * row.length;
  const room = full ? grown(data, Math.max(TAIL_PAGE, 2 * length) * row.length) : data;
  room.set(row, length * row.length);
  return { data: room, length: length + 1 };
}

/** The tail after its rows went elsewhere: room for a page, if it had room at all. The old value must not be used again. */
export function withoutRows({ data, length }: Tail, rowLength: number): Tail {
  const page = TAIL_PAGE * rowLength;
  return { data: length === 0 || data.length === page ? data : new Float32Array(page), length: 0 };
}

export const copyTail = ({ data, length }: Tail): Tail => ({ data: data.slice(), length });

function grown(data: Float32Array, size: number): Float32Array {
  const larger = new Float32Array(size);
  larger.set(data);
  return larger;
}
