/**
 * An engine runs a network over caches. It promises that
 * - weights are in memory once, whatever is run: prefill, and decoding of full and of compressed caches;
 * - true positions are used always: a compressed cache continues at the position its prompt ended at;
 * - prefill gives the same whatever the chunk size, and a step gives each pair what it would give it alone;
 * - nothing of one call is left for the next: all state is in the caches.
 */
import type { Kernels } from "../../kernels/index.ts";
import type { KvCache } from "../cache/cache.ts";
import type { Sight } from "../cache/decider.ts";
import type { DeviceEntries } from "../cache/device-entries.ts";
import type { PromptEntries } from "../cache/prompt-entries.ts";
import type { Selection } from "../cache/selection.ts";
import type { ModelConfig } from "../model/config.ts";
import type { QueryMoments } from "../observation.ts";
import type { Tensor } from "../tensor.ts";

/**
 * How exactly the network is computed: in fp32, or with activations rounded to 8 bits where they meet quantised matrices
 * ("fast"; the weights are the same to the last bit). On a GPU with half precision, "fast" has products of many tokens in that, weights too.
 */
export type Precision = "fp32" | "fast";

/** Positions whose queries say nothing about later ones: those of attention sinks. */
export const SINKS = 4;

export interface PrefillRequest {
  /** At least one, all below the vocabulary's size. */
  readonly tokens: Int32Array;
  /** Tokens run at once, at most. */
  readonly chunk: number;
  /**
   * What the tokens come after, and where their own entries go: each attends to all that is held, and positions go on where it
   * says. If prefill throws, it may have taken in some of the tokens. Of this engine's own making; default: a new one.
   */
  readonly cache?: PromptEntries;
  /** How many of the tokens' last queries to give back. */
  readonly lastQueries: number;
  /** Whether to add up the attention that every position receives. */
  readonly columnSums?: boolean;
  /** Whether to add up the queries, and their products with themselves. */
  readonly moments?: boolean;
  /** Logits of every position rather than the last. */
  readonly allLogits?: boolean;
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
}

export interface PrefillResult {
  /** Every entry of every layer and KV head, those that were held before among them: what was given, or new and the caller's to free. */
  readonly entries: PromptEntries;
  /** [vocab], or [n, vocab] if all were asked for. */
  readonly logits: Float32Array;
  /** The last min(lastQueries, n) queries of each layer: [H, count, d]. */
  readonly queries: readonly Float32Array[];
  /**
   * Of each layer, if asked for, [H, P + n] where P entries were held before: the sum over the n tokens' queries of
   * softmax(q . k / sqrt(d)) over the keys each sees.
   */
  readonly columnSums: readonly Float32Array[] | null;
  /** Of each layer's n queries before RoPE, if asked for; positions below `SINKS` are left out. */
  readonly moments: readonly QueryMoments[] | null;
}

/** A prompt, of each of whose layers only a part is to stay. */
export interface LayeredPrefillRequest extends Omit<PrefillRequest, "cache" | "allLogits"> {
  /** Asked of each layer, lowest first, with what prefill saw of it alone: which rows of each KV head stay, ascending. */
  readonly choose: (layer: number, seen: PrefillResult) => Promise<Selection[number]>;
}

export interface LayeredPrefillResult {
  /** [vocab] */
  readonly logits: Float32Array;
  /** What was chosen; the caller's to free. */
  readonly device: DeviceEntries;
}

/** One sequence's next token. */
export interface Step {
  readonly token: number;
  /** Takes in the token's keys and values, the logits that follow, and what of the token is to be seen. */
  readonly cache: KvCache;
  /** Default: nothing but positions. */
  readonly sees?: Sight;
}

/** One sequence's next tokens, several at once. */
export interface ExtendRequest {
  /** At least one, all below the vocabulary's size. */
  readonly tokens: Int32Array;
  /** Tokens run at once, at most; the result does not depend on it. */
  readonly chunk: number;
  /** Takes in the tokens' keys and values, and the logits that follow the last. If `extend` throws, it may have taken in some. */
  readonly cache: KvCache;
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
}

/** How a token is chosen, but for the draw. */
export interface Sampling {
  /** 0 takes the most likely token; higher is more even. */
  readonly temperature: number;
  /** Draw from this many of the most likely tokens only; 0 sets no limit. */
  readonly topK: number;
  /** Draw from the fewest most likely tokens whose probabilities, after topK, reach this sum; 1 sets no limit. */
  readonly topP: number;
}

export interface Engine extends Disposable {
  readonly name: string;
  readonly version: string;
  readonly precision: Precision;
  readonly config: ModelConfig;
  /** Scoring, selection and gathering on the engine's own device. */
  readonly kernels: Kernels;
  /** What mixes the outputs of a layer's query heads, read when asked for: [hidden, H * d]. */
  outputProjection(layer: number): Tensor;
  /** Turns a layer's keys after RoPE, [any, d], by so many positions, in place: as if they had come so much later. */
  turn(layer: number, keys: Float32Array, by: number): void;
  /** Tokens of such a prompt that are best run at once, where nobody says how many. */
  chunkFor(length: number): number;
  /** Where a prompt's entries are to lie; with room for so many tokens at once. */
  prompt(room: number): PromptEntries;
  /**
   * @throws KvError `aborted`; `invalid_option` for a cache that lacks earlier entries, on a model with a sliding window
   */
  prefill(request: PrefillRequest): Promise<PrefillResult>;
  /**
   * Prefill that lets go of each layer's other entries before the next layer begins, so that no more than one layer is ever held in full;
   * null for an engine that runs all layers at once.
   *
   * @throws KvError `aborted`, and what `choose` throws
   */
  readonly prefillByLayer: ((request: LayeredPrefillRequest) => Promise<LayeredPrefillResult>) | null;
  /**
   * Decodes one token of each sequence and gives its logits [vocab], in order. Sequences may differ in every length, and come
   * and go from call to call.
   *
   * @throws KvError `invalid_option` for a cache that is in the batch twice
   */
  step(batch: readonly Step[]): Promise<readonly Float32Array[]>;
  /**
   * As `step`, but gives the tokens that follow, drawn where the logits are, which then stay there; null for an engine that has them in memory
   * anyway. For steps that do not watch attention.
   *
   * @param draws in [0, 1), one for each sequence: the share of what is likely enough at which its token lies, in the order of the tokens
   */
  readonly draw:
    | ((batch: readonly Step[], sampling: Sampling, draws: readonly number[]) => Promise<readonly number[]>)
    | null;
  /** As steps of one token after another, in fewer runs: the logits after the last, [vocab]. @throws KvError `aborted` */
  extend(request: ExtendRequest): Promise<Float32Array>;
}
