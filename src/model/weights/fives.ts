/** The 32 numbers of five bits in 20 bytes. */
export function fives(bytes: Uint8Array, at: number, each: (j: number, q: number) => void): void {
  for (let j = 0; j < 16; j++) {
    const pair = bytes[at + 4 + j] ?? 0;
    const [first, second] = [bytes[at + (j >> 3)] ?? 0, bytes[at + 2 + (j >> 3)] ?? 0];
    each(j, (pair & 15) | (((first >> (j & 7)) & 1) << 4));
    each(j + 16, (pair >> 4) | (((second >> (j & 7)) & 1) << 4));
  }
}
