/** How many entries each KV head of a batch holds: as uneven as methods with adaptive heads leave them. */
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";

/**
 * Lengths drawn evenly from mean/2 to 3 mean/2, in pairs that make up for each other, in random order: their mean is exact.
 *
 * @param mean at least 2
 */
export function raggedLengths(count: number, mean: number, seed: number): readonly number[] {
  const random = xoroshiro128plus(seed);
  const spread = Math.floor(mean / 2);
  const lengths = new Array<number>(count).fill(mean);
  for (let i = 0; i + 1 < count; i += 2) {
    const off = uniformInt(random, 0, spread);
    lengths[i] = mean - off;
    lengths[i + 1] = mean + off;
  }
  return shuffled(lengths, seed + 1);
}

/** Fisher-Yates. */
export function shuffled<T>(values: readonly T[], seed: number): readonly T[] {
  const random = xoroshiro128plus(seed);
  const left = [...values];
  return Array.from(values, () => left.splice(uniformInt(random, 0, left.length - 1), 1)).flat();
}
