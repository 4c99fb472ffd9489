/** Schedules: how many scored entries each layer and KV head keeps. Integers; what is always kept comes on top. */
import type { Needs } from "../scoring/needs.ts";
import type { LayerView } from "../scoring/score.ts";
import type { Tensor } from "../tensor.ts";

export interface ScheduleSizes {
  readonly layers: number;
  /** Where sliding layers beside full ones keep their window: how many layers the network has, and the numbers of those that share the budget. */
  readonly within?: { readonly depth: number; readonly numbers: readonly number[] };
  readonly kvHeads: number;
  /** Entries to choose by score per KV head, on average: the budget less what is always kept. An integer >= 0. */
  readonly mean: number;
  /** Candidates per KV head: the prompt's length less what is always kept. */
  readonly limit: number;
  /** Always-kept entries per KV head. Published schedules count with budgets and lengths that include them. */
  readonly kept: number;
}

export interface ScheduleRequest extends ScheduleSizes {
  /**
   * The candidates' scores in a layer, [kvHeads, limit], computed when first asked for.
   *
   * @throws KvError `invalid_option` where the method has none
   */
  scores(layer: number): Promise<Tensor>;
  /** A layer as scores see it, for schedules that look at attention themselves. */
  view(layer: number): Promise<LayerView>;
}

/** Counts of scored entries, [layers][kvHeads]. */
export type Counts = readonly (readonly number[])[];

/**
 * Splits a total over layers and heads. A schedule of ours returns integers in [0, limit] that sum to exactly
 * min(mean, limit) * layers * kvHeads; a published one does what its authors' code did.
 */
export interface Schedule {
  (request: ScheduleRequest): Counts | Promise<Counts>;
  /**
   * What one layer keeps, [kvHeads], where that depends on sizes and on this layer's scores alone. Left out where layers compete, and where
   * it depends on sizes alone: then nobody is asked for scores.
   */
  readonly ofLayer?: (request: ScheduleRequest, layer: number) => Promise<readonly number[]>;
  /** What prefill must observe beyond what the score needs. */
  readonly needs?: Partial<Needs>;
  /** Whether it tells KV heads apart by their number. */
  readonly namesHeads?: true;
}

/** A schedule that looks at sizes alone, not at scores. */
export type FixedSchedule = (sizes: ScheduleSizes) => Counts;

/** The same count for every head of a layer. */
export const sameForHeads = (perLayer: readonly number[], kvHeads: number): Counts =>
  perLayer.map((count) => Array.from({ length: kvHeads }, () => count));
