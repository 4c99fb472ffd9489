/** One answer of one method to one example, with everything needed to compare it with others and to make it again. */
import type { Provenance } from "../load.ts";
import type { Facets, Plain } from "./task.ts";

export interface Result {
  /** Hash of all that decides it (weights, precision, task, seed, example, method, policy, budget): results with equal keys are equal. */
  readonly key: string;
  readonly task: string;
  readonly taskOptions: Plain;
  readonly seed: number;
  /** The example's id. */
  readonly example: string;
  readonly facets: Facets;
  readonly promptTokens: number;
  /** Its name; where something evicted while the answer was decoded, with that policy's: "snapkv+streamingwindow". */
  readonly method: string;
  /** The method's options and, if there was one, the policy under `evict`: its name and options. */
  readonly methodOptions: Plain;
  /** As it was asked for: entries per KV head ("128"), a share of the prompt ("25%"), or "all". */
  readonly budget: string;
  /** Entries kept of the prompt per KV head, averaged over heads and over the layers that methods choose in. */
  readonly kept: number;
  /** Bytes of the compressed cache. */
  readonly bytes: number;
  readonly answer: string;
  /** 0 to 1. */
  readonly score: number;
  /** Share of the last queries' attention that falls on what was kept, per layer; null unless it was asked for. */
  readonly recall: readonly number[] | null;
  /** Relative error of those queries' attention output against full attention's, per layer; null unless it was asked for. */
  readonly outputError: readonly number[] | null;
  /** Of the whole example, whatever the methods. */
  readonly prefillMs: number;
  readonly compressMs: number;
  /** Of all methods' answers together: they are decoded as one batch. */
  readonly decodeMs: number;
  readonly provenance: Provenance;
}
