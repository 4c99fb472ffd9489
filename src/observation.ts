/** What prefill sees of a prompt's attention, for the scores of compression methods. */
import type { Tensor } from "./tensor.ts";

/** Sums over queries before RoPE, fp64; those of the first 4 positions, attention sinks, are left out. */
export interface QueryMoments {
  /** Queries that were added up. */
  readonly count: number;
  /** [H, d] */
  readonly sums: Float64Array;
  /** Of each query with itself: [H, d, d]. */
  readonly products: Float64Array;
}

/** One of each per layer. */
export interface Observation {
  /** Each layer's last queries after RoPE: [H, count, d]. */
  readonly queries: readonly Tensor[];
  /** Attention that each position received from all queries, [H, n]; null unless an observed method asked for it. */
  readonly columnSums: readonly Tensor[] | null;
  /** null unless an observed method asked for them. */
  readonly moments: readonly QueryMoments[] | null;
  /** What the observed methods' probes saw, by their names: [H, n] each. */
  readonly probes: ReadonlyMap<string, readonly Tensor[]>;
}
