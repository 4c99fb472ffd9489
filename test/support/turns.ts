/** A table of turns for positions 0 to count - 1, by the inverse wavelengths of d/2 pairs of channels; angles are fp64. */
export function turnsOf(frequencies: Float64Array, count: number): Float32Array<ArrayBuffer> {
  const half = frequencies.length;
  const turns = new Float32Array(count * 2 * half);
  for (let position = 0; position < count; position++) {
    for (const [i, frequency] of frequencies.entries()) {
      turns[position * 2 * half + i] = Math.cos(position * frequency);
      turns[position * 2 * half + half + i] = Math.sin(position * frequency);
    }
  }
  return turns;
}
