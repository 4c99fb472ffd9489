/** One example for many configurations, as plain data that can be sent to another process; and what comes back. */
import type { Provenance } from "../../load.ts";
import type { Recorded } from "./configuration.ts";

/** How a prompt is put to a model. */
export interface Ask {
  /** Token ids of the prompt. */
  readonly prompt: readonly number[];
  readonly maxNewTokens: number;
  readonly minNewTokens: number;
  /** Tokens that end the answer. */
  readonly stopTokens: readonly number[];
  /** Whether the prompt's last token is decoded on the compressed cache, so that all of the answer had to be found in what was kept. */
  readonly lastOnCache: boolean;
  /** Whether to compare attention on what was kept with full attention. */
  readonly fidelity: boolean;
}

/** What to keep: a method by name and options, and likewise what evicts while the answer is decoded. */
export interface Kept extends Recorded {
  /** Of the result. */
  readonly key: string;
  /** As it was asked for. */
  readonly budget: string;
  /** Tokens of the true answer, where the method must be told it. */
  readonly told?: readonly number[];
}

export interface Job {
  /** Hash of all of it. */
  readonly key: string;
  /** Who must answer: another model's answers would be stored under this one's name. */
  readonly model: Pick<Provenance, "weights" | "engine" | "precision">;
  readonly ask: Ask;
  readonly kept: readonly Kept[];
}

/** What one configuration made of the prompt. */
export interface Answered {
  readonly key: string;
  readonly text: string;
  /** Entries per KV head, averaged over heads and over the layers that methods choose in. */
  readonly kept: number;
  readonly bytes: number;
  /** Per layer, if it was asked for. */
  readonly recall: readonly number[] | null;
  readonly outputError: readonly number[] | null;
  readonly compressMs: number;
}

export interface Outcome {
  readonly answers: readonly Answered[];
  readonly prefillMs: number;
  readonly decodeMs: number;
}
