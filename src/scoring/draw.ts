/** Random numbers by what they are drawn for: equal coordinates have equal numbers, in whatever order they are asked for. */

/** Uniform in [0, 1). @param coordinates safe integers: a seed, and what tells one draw from another */
export function uniformAt(...coordinates: readonly number[]): number {
  let hash = 0;
  for (const at of coordinates) {
    hash = mixed(hash ^ at); // its lower 32 bits
    hash = mixed(hash ^ Math.floor(at / 2 ** 32));
  }
  return (hash >>> 0) / 2 ** 32;
}

/** Standard normal (Box-Muller). @param coordinates as for `uniformAt` */
export function normalAt(...coordinates: readonly number[]): number {
  const [length, angle] = [uniformAt(...coordinates, 0), uniformAt(...coordinates, 1)];
  return Math.sqrt(-2 * Math.log(1 - length)) * Math.cos(2 * Math.PI * angle);
}

/** Spreads every bit over all of 32: the end of MurmurHash3, after a step that moves 0. */
function mixed(value: number): number {
  let bits = (value + 0x9e3779b9) | 0;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return bits ^ (bits >>> 16);
}
