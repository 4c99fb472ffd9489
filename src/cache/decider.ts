/** Who decides what goes of a cache while tokens are generated, and what he is shown for it. */
import type { Kernels } from "../../kernels/index.ts";
import type { ModelConfig } from "../model/config.ts";
import type { Tensor } from "../tensor.ts";
import type { Picked } from "./device-entries.ts";
import type { CachePlaces, Evictions } from "./evict.ts";

/** What is looked at of every token beside the positions held; what is not asked for costs nothing. */
export type Sight = "positions" | "queries" | "attention";

/** What a step shows of its token, as far as it was asked. */
export interface TokenSight {
  /** Each layer's queries after RoPE: [H, d]. */
  readonly queries: readonly Float32Array[] | null;
  /** [layer][kvHead], the attention to each entry as they lie, the token's own last, summed over the query heads that read the KV head. */
  readonly attention: readonly (readonly Float32Array[])[] | null;
}

export const NOTHING_SEEN: TokenSight = { queries: null, attention: null };

/** A cache as it is after a token, before anything goes. */
export interface Held extends CachePlaces {
  /** What the newest token showed. */
  readonly sight: TokenSight;
  /**
   * Of each layer, entry by entry as `layers` holds them, the attention of all the prompt's queries, summed over the query heads that read
   * a KV head; null unless prefill added it up, and once something went.
   */
  readonly received: readonly Float32Array[] | null;
  /** Keys and values of some heads of a layer, at equally many places each. */
  picked(layer: number, kvHeads: readonly number[], places: readonly ArrayLike<number>[]): Picked;
}

/** Decides after one token: what goes, and who decides after the next. A pure function, so that forks share it. */
export type Decider = (held: Held) => Decision | Promise<Decision>;

export interface Decision {
  readonly gone: Evictions;
  /** Whether keys are to be turned, where something goes, so that what each head holds stands side by side before the next token. */
  readonly packed?: boolean;
  readonly next: Decider;
}

/** Where decisions are computed: an engine is such a place. */
export interface Workplace {
  readonly kernels: Kernels;
  readonly config: ModelConfig;
  /** What mixes the outputs of a layer's query heads: [hidden, H * d]. */
  outputProjection(layer: number): Tensor;
  /** Turns a layer's keys, [any, d], by so many positions, in place. */
  turn(layer: number, keys: Float32Array, by: number): void;
}

export interface Evictor {
  readonly sees: Sight;
  /** Who decides after the next token, before it comes. @throws KvError `observation_missing`, `invalid_option` where it cannot begin */
  start(held: Held, workplace: Workplace): Decider;
}
