import type { Merge } from "../merging/merge.ts";
import { allNeeds } from "../scoring/needs.ts";
import type { Method } from "./method.ts";

/**
 * A method that merges what it evicts into what it keeps, rather than dropping it: `merged(snapKV({ budget: 128 }), d2oMerge())`. It
 * keeps the same positions in the same memory. In `compressInBlocks` what goes between blocks is dropped, and what goes at the end is merged.
 */
export const merged = (method: Method, merge: Merge): Method => ({
  ...method,
  name: `${method.name}+${merge.name}`,
  options: { ...method.options, merge: { name: merge.name, ...merge.options } },
  needs: allNeeds([method.needs, merge.needs]),
  merge,
});
