/** The permutation test for pairs: were the two alike, each difference could as well have had the other sign. */
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import type { Resampling } from "./bootstrap.ts";
import { ROUNDING } from "./rounding.ts";

/** Differences up to which all signs are tried: 65,536 ways. */
const EXACT = 16;

/**
 * Two-sided p value of a mean difference: the share of sign flips whose sum is as far from zero as the one seen. Exact for up to
 * 16 differences that are not zero; else from `resamples` random flips, the one seen counted among them, so that it is never
 * below 1 / (resamples + 1).
 *
 * @see https://doi.org/10.2202/1544-6115.1585 Phipson and Smyth, 2010, on counting the one seen
 */
export function signFlip(
  differences: readonly number[],
  { resamples, seed }: Pick<Resampling, "resamples" | "seed">,
): number {
  const sizes = differences.map(Math.abs).filter((size) => size > 0);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const seen = Math.abs(differences.reduce((sum, difference) => sum + difference, 0));
  // Equal sums in another order may differ in their last bits.
  const isAsFar = (sum: number) => Math.abs(sum) >= seen - ROUNDING * total;
  const signed = (isMinus: (i: number) => boolean) =>
    sizes.reduce((sum, size, i) => (isMinus(i) ? sum - size : sum + size), 0);
  if (sizes.length <= EXACT) {
    const ways = 2 ** sizes.length;
    let far = 0;
    for (let way = 0; way < ways; way++) if (isAsFar(signed((i) => ((way >> i) & 1) === 1))) far++;
    return far / ways;
  }
  const random = xoroshiro128plus(seed);
  let far = 1;
  for (let i = 0; i < resamples; i++) if (isAsFar(signed(() => uniformInt(random, 0, 1) === 1))) far++;
  return far / (resamples + 1);
}
