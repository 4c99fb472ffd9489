/** Heads side by side at the front of a buffer with room: rows move in place when some come or go. */

/** [heads, old] packed at the front of `buffer` becomes [heads, old + added], the added numbers taken from [heads, added]. */
export function insert<T extends Float32Array | Int32Array>(
  buffer: T,
  chunk: T,
  heads: number,
  old: number,
  added: number,
): void {
  for (let h = heads - 1; h >= 0; h--) {
    const to = h * (old + added);
    buffer.copyWithin(to, h * old, (h + 1) * old);
    buffer.set(chunk.subarray(h * added, (h + 1) * added), to + old);
  }
}

/** [heads, length, size] packed at the front of `buffer` becomes [heads, kept, size]: each head's rows, ascending. */
export function gatherInPlace(
  buffer: Float32Array | Int32Array | undefined,
  rows: readonly Int32Array[],
  length: number,
  size: number,
): void {
  let to = 0;
  for (const [head, kept] of rows.entries()) {
    for (const row of kept) {
      const from = (head * length + row) * size;
      buffer?.copyWithin(to, from, from + size);
      to += size;
    }
  }
}
