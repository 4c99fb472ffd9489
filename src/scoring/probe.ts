/** Probes: tokens that are run after a prompt to see which of its positions they attend to. They leave no trace in its cache. */
import type { Kernels, Stored, Tensor } from "../../kernels/index.ts";

/** A prompt as tokens and what they say. */
export interface PromptText {
  readonly tokens: Int32Array;
  /** What a token says; null for a model without tokenizer. */
  readonly text: ((token: number) => string) | null;
  /** Token ids of a text, without special tokens; null for a model without tokenizer. */
  readonly encode: ((text: string) => Int32Array) | null;
}

/** One layer of one sequence that was run after a prompt of n tokens: s tokens, H query heads, KH KV heads, all after RoPE. */
export interface ProbeView {
  readonly layer: number;
  /** n */
  readonly length: number;
  /** The sequence's queries: [H, s, d]. */
  readonly queries: Tensor;
  /** The prompt's keys and the sequence's own: [KH, n + s, d], wherever the engine holds them. */
  readonly keys: Stored;
  readonly slidingWindow: number | null;
  readonly kernels: Kernels;
}

export interface Probe {
  /** Says all that the probe depends on but the prompt: of probes of one name only one is run. */
  readonly name: string;
  /** Tokens that are run after the prompt, each sequence on its own. */
  sequences(prompt: PromptText): readonly Int32Array[];
  /** What one sequence says of each position of the prompt: [H, n]. */
  see(view: ProbeView): Promise<Tensor>;
  /** How what several sequences say becomes one. */
  readonly join: "sum" | "max";
}
