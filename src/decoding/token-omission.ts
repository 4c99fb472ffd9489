import type { Decider, Held } from "../cache/decider.ts";
import { everyHead } from "../cache/inventory.ts";
import { excessOfHeads, type HeldEntries } from "./heads.ts";
import { lowest } from "./lowest.ts";
import { placesIn, valuesAt } from "./places.ts";
import { definePolicy, type PolicyFactory } from "./policy.ts";
import { sightOf } from "./sight.ts";

/**
 * TOVA (token omission via attention) while decoding: after every token, the entries that it attended to least go from each layer, by the
 * mean over all its query heads; the token's own entry may be the one.
 *
 * So all heads of a layer hold the same tokens, if they did at first, as after `tova` or `full`. Where a method left them different ones,
 * each KV head goes by the mean over its own query heads.
 *
 * @formula the j of lowest mean over h of A[h,i,j] goes, where i is the newest token.
 * @cost The attention of each new token, which the step computes anyway; a batch is decoded one sequence after the other.
 * @memory b entries per KV head, and nothing else.
 * @helps Where the newest token says what will be needed next, as in prose. A fact nobody looks at for one step at a full cache is gone.
 * @see https://arxiv.org/abs/2401.06104
 */
export const tokenOmission: PolicyFactory = definePolicy("tokenomission", { options: {} }, ({ target }) => {
  const decide: Decider = (held) => {
    const scores = scoresOf(held);
    const choose = ({ layer, kvHead, positions, excess }: HeldEntries) =>
      lowest(scores[layer]?.[kvHead] ?? new Float64Array(0), positions, excess);
    return { gone: excessOfHeads(held, target(held.length), choose), next: decide };
  };
  return { sees: "attention", start: () => decide };
});

/** The newest token's attention to each entry, [layer][kvHead]: over all query heads of a layer whose heads hold the same tokens. */
function scoresOf(held: Held): readonly (readonly Float64Array[])[] {
  const attention = sightOf(held, "attention");
  return everyHead(held, (positions) => positions).map((heads, layer) => {
    const masses = attention[layer] ?? [];
    const [first = new Int32Array(0)] = heads;
    const places = heads.map((positions) => placesIn(first, positions));
    const same = places.every((ofHead) => ofHead.length === first.length && !ofHead.includes(-1));
    if (!same) return masses.map((mass) => Float64Array.from(mass));
    const total = new Float64Array(first.length);
    for (const [head, ofHead] of places.entries())
      for (const [i, place] of ofHead.entries()) total[place] = (total[place] ?? 0) + (masses[head]?.[i] ?? 0);
    return places.map((ofHead) => valuesAt(total, ofHead));
  });
}
