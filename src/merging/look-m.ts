import type { Merge, MergeWeights } from "./merge.ts";
import { nearestKept } from "./nearest.ts";

const lookM = (name: string, weigh: Merge["weigh"]): Merge => ({
  name,
  options: {},
  needs: {},
  sides: "keys and values",
  pair: nearestKept,
  weigh,
});

/** Each of m evicted entries with the share `each(nearness)` of a mean over them and the kept one. */
const inMean = (nearness: readonly number[], each: (nearness: number) => number): MergeWeights => {
  const members = nearness.length + 1;
  return { own: 1 / members, others: nearness.map((cosine) => each(cosine) / members) };
};

/**
 * LOOK-M's averaged merging: a kept key or value becomes the mean of itself and of the evicted ones whose keys are most like it.
 *
 * @formula k_c <- (k_c + sum over its evicted e of k_e) / (m + 1), the same for v; e belongs to the c of the highest cos(k_e, k_c).
 * @cost One product of all and kept keys in every layer: after a prefill of 4,000 tokens 5 % of its CPU time at a budget of 128, 15 % at
 *   1,000 (SmolLM2-135M, 2026-11).
 * @memory That of the selection; while it compresses, 16 MiB of cosines.
 * @helps Where evicted keys are much alike; a kept entry that many merge into loses what it said itself. At 64 and 128
 *   entries it ruined SmolLM2-135M's needles and few-shot answers at 500 tokens (12 of each, 2026-11).
 * @see https://arxiv.org/abs/2406.18139 (text and images alike are merged here, whatever the selection)
 */
export const averagedMerge = (): Merge => lookM("averaged", (nearness) => inMean(nearness, () => 1));

/**
 * LOOK-M's pivotal merging: as averaged, but each evicted entry first meets its kept one halfway.
 *
 * @formula k_c <- (k_c + sum over e of (k_c + k_e) / 2) / (m + 1), the same for v.
 * @cost As `averagedMerge`.
 * @memory As `averagedMerge`.
 * @helps More than averaging where the kept entry matters by itself: it keeps more than half its weight; worse than dropping
 *   at 64 and 128 entries there too.
 * @see https://arxiv.org/abs/2406.18139
 */
export const pivotalMerge = (): Merge =>
  lookM("pivotal", ({ length }) => {
    const half = 0.5 / (length + 1);
    return { own: 1 / (length + 1) + length * half, others: new Array<number>(length).fill(half) };
  });

/**
 * LOOK-M's weighted merging: as averaged, but an evicted entry counts as much as its key is like the kept one.
 *
 * @formula k_c <- (k_c + sum over e of cos(k_e, k_c) k_e) / (m + 1), the same for v; the weights need not add up to 1.
 * @cost As `averagedMerge`.
 * @memory As `averagedMerge`.
 * @helps Where few evicted keys are alike; it shortens keys and values, the more the less alike they are, and was the worst
 *   there.
 * @see https://arxiv.org/abs/2406.18139
 */
export const weightedMerge = (): Merge => lookM("weighted", (nearness) => inMean(nearness, (cosine) => cosine));
