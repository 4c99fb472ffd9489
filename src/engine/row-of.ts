/** One sequence's part of [L, 2, KH, B, d]: [L, 2, KH, d]. */
export function rowOf(entries: Float32Array, sequence: number, count: number, headDim: number): Float32Array {
  const row = new Float32Array(entries.length / count);
  for (let to = 0; to < row.length; to += headDim) {
    const from = to * count + sequence * headDim;
    row.set(entries.subarray(from, from + headDim), to);
  }
  return row;
}
