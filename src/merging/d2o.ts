import type { Merge, Pairs } from "./merge.ts";
import { nearestKept } from "./nearest.ts";

/**
 * D2O's compensation: an evicted entry is merged into the kept one whose key is most like its own, if it is at least as like it as the
 * head's evicted ones are on average; the others are dropped. Compression happens once here, so the paper's moving average of that
 * threshold over decoding steps is its first value.
 *
 * @formula e merges into c = argmax cos(k_e, k_c) if u_e = cos(k_e, k_c) >= mean of u over the head's evicted;
 *   k_c <- (exp(1) k_c + sum over e of exp(u_e) k_e) / (exp(1) + sum over e of exp(u_e)), the same for v.
 * @cost One product of all and kept keys in every layer, as `averagedMerge`.
 * @memory That of the selection; while it compresses, 16 MiB of cosines.
 * @helps Where evicted keys are much alike; a kept entry that many merge into loses what it said itself. On SmolLM2-135M at
 *   128 entries about as good as dropping, at 64 worse (needles and few-shot at 500 tokens, 12 of each, 2026-11).
 * @see https://arxiv.org/abs/2406.13035 section 3.3
 */
export const d2oMerge = (): Merge => ({
  name: "d2o",
  options: {},
  needs: {},
  sides: "keys and values",
  pair: async (view) => (await nearestKept(view)).map(nearEnough),
  weigh(nearness) {
    const masses = nearness.map(Math.exp);
    const total = masses.reduce((sum, mass) => sum + mass, Math.E);
    return { own: Math.E / total, others: masses.map((mass) => mass / total) };
  },
});

function nearEnough({ rows, places, nearness }: Pairs): Pairs {
  const threshold = nearness.reduce((sum, cosine) => sum + cosine, 0) / nearness.length;
  const near = <T>(_: T, i: number) => (nearness[i] ?? 0) >= threshold;
  return { rows: rows.filter(near), places: places.filter(near), nearness: nearness.filter(near) };
}
