/** What many results say together: a mean, and how far to trust it. */
import type { Facets } from "../task.ts";

export interface Summary {
  /** What these results have in common: task, method, budget, and the facets asked for. */
  readonly group: Facets;
  /** Examples. */
  readonly count: number;
  /** Of the scores. */
  readonly mean: number;
  /** Bounds of the confidence interval of the mean. */
  readonly low: number;
  readonly high: number;
  /** Entries per KV head and bytes, on average. */
  readonly kept: number;
  readonly bytes: number;
}
