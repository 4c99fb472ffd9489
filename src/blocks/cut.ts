/**
 * The same tokens in blocks of `size`, the last one shorter, whatever pieces they come in.
 *
 * A block comes as soon as it is full: at no time more is in memory than it and a piece.
 */
export async function* cut(
  pieces: Iterable<Int32Array> | AsyncIterable<Int32Array>,
  size: number,
): AsyncGenerator<Int32Array> {
  const block = new Int32Array(size);
  let filled = 0;
  for await (const piece of pieces) {
    for (let at = 0; at < piece.length; ) {
      const part = piece.subarray(at, at + size - filled);
      block.set(part, filled);
      at += part.length;
      filled += part.length;
      if (filled < size) continue;
      yield block.slice();
      filled = 0;
    }
  }
  if (filled > 0) yield block.slice(0, filled);
}
