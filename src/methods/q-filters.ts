import { uniform } from "../allocation/uniform.ts";
import { type Filters, queryFilter } from "../scoring/query-filter.ts";
import { define } from "./define.ts";
import { lastTokens, type MethodFactory } from "./method.ts";
import { measured } from "./options.ts";

export interface QFiltersOptions {
  /** Entries kept per KV head; >= 1. */
  readonly budget: number;
  /**
   * Filters of this model (`loadFilters`, `measureFilters`). Default: the prompt's own, an approximation that is not the paper's: it sees
   * the queries that will be asked about, and RoPE only on average.
   */
  readonly filters?: Filters | undefined;
}

/**
 * Q-Filters: the entries whose keys reach furthest in the direction that all queries of their head share.
 *
 * @formula score[j] = f[g].k[j], where f[g] is the mean over the group's query heads of the first right singular vector of the queries after
 *   RoPE, on the side of their mean; without `filters`: of the prompt's queries before RoPE, turned by RoPE's mean over the prompt.
 * @cost One product with each key; without `filters` also sums over all queries during prefill.
 * @memory The budget; prefill holds nothing for it, without `filters` H (d + d x d) numbers a layer.
 * @helps Where what is asked is not known yet, at hardly any cost; it cannot tell one question from another.
 * @see https://arxiv.org/abs/2503.02812
 */
export const qFilters: MethodFactory<QFiltersOptions> = define(
  "qfilters",
  { options: { filters: measured("filters", "loadFilters").optional() } },
  ({ filters = null }) => ({ keep: lastTokens(0), score: queryFilter(filters), allocate: uniform() }),
);
