/** What prefill sees of a prompt's attention, for the scores of compression methods. */
import type { Tensor } from "./tensor.ts";

/** One tensor per layer. */
export interface Observation {
  /** Each layer's last queries after RoPE: [H, count, d]. */
  readonly queries: readonly Tensor[];
  /** Attention that each position received from all queries, [H, n]; null unless an observed method asked for it. */
  readonly columnSums: readonly Tensor[] | null;
}
