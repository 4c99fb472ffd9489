/** What lies between the directions of two vectors (Shoemake's spherical linear interpolation). In doubles; vectors are as long as each other. */

export function norm(x: Float32Array): number {
  let squares = 0;
  for (const each of x) squares += each ** 2;
  return Math.sqrt(squares);
}

/** Between two directions, in [0, pi]. A vector of zeros has none and counts as opposite to all. */
export function angleBetween(a: Float32Array, b: Float32Array): number {
  const [ofA, ofB] = [norm(a), norm(b)];
  if (ofA === 0 || ofB === 0) return Math.PI;
  let [apart, together] = [0, 0];
  for (let c = 0; c < a.length; c++) {
    const [x, y] = [(a[c] ?? 0) / ofA, (b[c] ?? 0) / ofB];
    apart += (x - y) ** 2;
    together += (x + y) ** 2;
  }
  return 2 * Math.atan2(Math.sqrt(apart), Math.sqrt(together)); // the arccosine loses small angles
}

/**
 * The direction at the share t of the way from a's to b's, which are less than pi apart.
 *
 * @param angle between the two
 */
export function slerp(a: Float32Array, b: Float32Array, angle: number, t: number): Float32Array {
  const weights =
    angle === 0 ? [1 - t, t] : [(1 - t) * angle, t * angle].map((part) => Math.sin(part) / Math.sin(angle));
  const [ofA = 0, ofB = 0] = [(weights[0] ?? 0) / norm(a), (weights[1] ?? 0) / norm(b)];
  return a.map((x, c) => ofA * x + ofB * (b[c] ?? 0));
}
