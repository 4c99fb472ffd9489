/** Rounds after which what still turns is one of several directions that are equally good. */
const MOST_ROUNDS = 1000;
const STILL = 1e-12;

/**
 * The direction in which vectors reach furthest, at length 1 and turned so that their mean lies on its side: the first right singular vector
 * of the matrix whose rows they are, by power iteration. Zeros where all vectors are. [d]
 *
 * @param products sums of the vectors' products with themselves, [d, d]
 * @param sums of the vectors, [d]
 */
export function principalDirection(products: Float64Array, sums: Float64Array): Float64Array {
  const size = sums.length;
  const longest = argmaxOf(Float64Array.from(sums, (_, i) => products[i * size + i] ?? 0));
  let direction = unit(products.slice(longest * size, (longest + 1) * size)); // not at a right angle to what is sought
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const next = unit(times(products, direction));
    const moved = next.reduce((sum, value, i) => sum + (value - (direction[i] ?? 0)) ** 2, 0);
    direction = next;
    if (moved < STILL ** 2) break;
  }
  const side = direction.reduce((sum, value, i) => sum + value * (sums[i] ?? 0), 0);
  return side < 0 ? direction.map((value) => -value) : direction;
}

const times = (matrix: Float64Array, vector: Float64Array): Float64Array =>
  vector.map((_, r) => vector.reduce((sum, value, c) => sum + value * (matrix[r * vector.length + c] ?? 0), 0));

function unit(vector: Float64Array): Float64Array {
  const length = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
  return length === 0 ? vector : vector.map((value) => value / length);
}

const argmaxOf = (values: Float64Array): number =>
  values.reduce((best, value, i) => (value > (values[best] ?? 0) ? i : best), 0);
