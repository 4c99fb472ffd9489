/**
 * A method is data: what is always kept, how the rest is scored, and how the budget is split over layers and heads; and, if it
 * says so, what becomes of the entries it evicts and of the positions of those it keeps.
 *
 * budget: entries kept per KV head, averaged over layers and heads, the always-kept ones included. On a network with sliding and full
 * layers (Gemma 3) only the full ones count, and only they are given to scores and schedules: the others keep their window.
 */
import type { Schedule } from "../allocation/schedule.ts";
import type { CompactForm } from "../cache/compact/form.ts";
import type { CrossLayer } from "../cache/compact/pairs.ts";
import type { Merge } from "../merging/merge.ts";
import type { KeyChannels } from "../scoring/key-channels.ts";
import type { Needs, Score } from "../scoring/score.ts";

/** Tokens kept in every layer and head: the first and the last of the prompt. */
export interface Keep {
  readonly first: number;
  readonly last: number;
}

/** How older entries are stored: which channels of keys is found out from the prompt. */
export interface MethodForm extends Omit<CompactForm, "channels"> {
  readonly channels: KeyChannels | null;
}

/** What neighbouring layers share: which ones is found out from the network. */
export interface MethodCrossLayer extends Omit<CrossLayer, "pairs"> {
  /** The first layer that is paired with the next; null for the middle one. */
  readonly from: number | null;
}

export interface Method {
  readonly name: string;
  /** An integer above what is always kept; Infinity keeps everything. A prompt that fits is kept whole. */
  readonly budget: number;
  /** The validated options as plain data, defaults filled in: what to write beside a result. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly keep: Keep;
  /** null where the always-kept tokens are all there is. */
  readonly score: Score | null;
  readonly allocate: Schedule;
  /** What prefill must observe. */
  readonly needs: Needs;
  /** Whether kept entries of the layers that count sum to exactly budget * layers * KV heads; published presets may spend more. */
  readonly exact: boolean;
  /** Whether score or schedule tell KV heads apart by their number; else permuted heads keep what they kept. */
  readonly namesHeads: boolean;
  /** What evicted entries leave in kept ones; without it they are dropped. See `merged`. */
  readonly merge?: Merge;
  /** Kept keys are turned to positions packed within the cache; without it they keep their true ones. See `packed`. */
  readonly packed?: true;
  /** How what is kept is stored; left out for fp32. */
  readonly form?: MethodForm;
  /** What layers share of it; left out where each holds its own. Not together with `form`. */
  readonly crossLayer?: MethodCrossLayer;
}

/** Makes a method from its options. @throws KvError `invalid_option` or `budget_too_small`, at path [name, option] */
export type MethodFactory<Options = { readonly budget: number }> = (options: Options) => Method;

/** The last w tokens: an observation window. */
export const lastTokens = (w: number): Keep => ({ first: 0, last: w });

/** The first f tokens, attention sinks, and the last l. */
export const firstAndLast = (f: number, l: number): Keep => ({ first: f, last: l });
