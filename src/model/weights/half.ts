/** IEEE 754 binary16, little-endian: the scales in quantised blocks, and whole tensors. */

/** The value at a byte offset, by a table from `halves`. */
export const half = (table: Float32Array, bytes: Uint8Array, at: number): number =>
  table[(bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8)] ?? 0;

/** The value at a byte offset. */
export const halfAt = (bytes: Uint8Array, at: number): number => half(halves(), bytes, at);

let known: Float32Array | undefined;

/** The value of every 16-bit pattern: 256 KiB, made at first use. */
export function halves(): Float32Array {
  known ??= Float32Array.from({ length: 1 << 16 }, (_, bits) => halfValue(bits));
  return known;
}

/** The value of a pattern: one sign bit, five of exponent, ten of fraction. */
export function halfValue(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = (bits & 1023) / 1024;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return exponent === 0 ? sign * fraction * 2 ** -14 : sign * (1 + fraction) * 2 ** (exponent - 15);
}
