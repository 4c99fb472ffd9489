/**
 * Merging instead of dropping: what an evicted entry leaves in entries that are kept.
 *
 * A merge pairs evicted entries with kept ones and weighs what meets: a kept key or value becomes its own times `own`, plus each
 * of its evicted ones' times their weight. Positions, counts and memory stay those of the selection.
 */
import type { Stored } from "../../kernels/index.ts";
import type { LayerObservation, Needs } from "../scoring/score.ts";

/** A layer, and the rows that each KV head keeps of it, ascending. */
export interface MergeView<A extends Stored = Stored> extends LayerObservation<A> {
  readonly kept: readonly Int32Array[];
}

/** Pairs of one KV head: equally many of each. */
export interface Pairs {
  /** Evicted rows of the layer. */
  readonly rows: readonly number[];
  /** For each, the how manieth of the head's kept rows it merges into. */
  readonly places: readonly number[];
  /** For each, what its weight is made of: a cosine, a distance. */
  readonly nearness: readonly number[];
}

/** Of one kept entry and the evicted ones that merge into it, as many as there were. */
export interface MergeWeights {
  readonly own: number;
  readonly others: readonly number[];
}

export interface Merge {
  readonly name: string;
  /** The validated options as plain data. */
  readonly options: Readonly<Record<string, unknown>>;
  /** What prefill must observe. */
  readonly needs: Partial<Needs>;
  /** "values" leaves keys as they are. */
  readonly sides: "keys and values" | "values";
  /** One for each KV head. */
  pair(view: MergeView): Promise<readonly Pairs[]>;
  /** Called with the nearness of all that merge into one kept entry, at least one. */
  weigh(nearness: readonly number[]): MergeWeights;
}

/** The rows below `length` that are not kept. */
export function evictedRows(kept: Int32Array, length: number): readonly number[] {
  const held = new Set(kept);
  return Array.from({ length }, (_, row) => row).filter((row) => !held.has(row));
}
