import type { Merge } from "../merging/merge.ts";
import { allNeeds } from "../scoring/needs.ts";
import type { Method } from "./method.ts";

/**
 * A method that merges what it evicts into what it keeps, rather than dropping it: `merged(snapKV({ budget: 128 }), d2oMerge())`. It
 * keeps the same positions in the same memory. In `compressInBlocks` what goes between blocks is dropped, and what goes at the end is merged.
 *
 * @formula k_c <- own k_c + sum over the evicted e that belong to c of w_e k_e, the same for v; the merge says which those are, own and w.
 * @cost Those of the method and of the merge.
 * @memory That of the method: what is merged adds no entry.
 * @helps Where evicted entries are like kept ones, and more is kept than not; at budgets of a quarter of the prompt and less no merge did
 *   better than dropping on SmolLM2-135M (12 needles and 12 few-shot questions of 500 tokens, 2026-11).
 * @see https://arxiv.org/abs/2406.18139 (LOOK-M)
 */
export const merged = (method: Method, merge: Merge): Method => ({
  ...method,
  name: `${method.name}+${merge.name}`,
  options: { ...method.options, merge: { name: merge.name, ...merge.options } },
  needs: allNeeds([method.needs, merge.needs]),
  merge,
});
