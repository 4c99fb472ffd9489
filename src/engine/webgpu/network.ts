/**
 * The decoder on the device: every stage of every layer recorded for some rows of tokens. What a row attends to is the caller's: prompts
 * over their own entries, steps over pages.
 */
import type { GpuArrays, GpuTensor } from "../../../kernels/gpu/arrays.ts";
import type { Entries } from "../../../kernels/move-rows/index.ts";
import { type NetworkKernels, networkKernels } from "../../../kernels/network.ts";
import type { ModelConfig } from "../../model/config.ts";
import type { Weights } from "../../model/weights/weights.ts";
import { RotaryBlocks } from "./rotary.ts";
import { Scratch } from "./scratch.ts";
import { type NetworkWeights, uploadWeights } from "./weights.ts";

/** Some tokens that go through the network together. */
export interface Rows {
  readonly tokens: Int32Array;
  readonly positions: Int32Array;
  /** The first row whose logits are wanted; null for none. */
  readonly logitsFrom: number | null;
  /** Whether queries are wanted as they meet RoPE. */
  readonly queries: boolean;
}

/** What a layer's attention is given: new queries after RoPE, [H, S, d], and where it puts its result, [S, H * d]. */
export interface LayerAttention {
  readonly layer: number;
  readonly queries: GpuTensor;
  readonly out: GpuTensor;
}

/** What a run leaves on the device, until the next. */
export interface Results {
  /** [rows from logitsFrom, vocab] */
  readonly logits: GpuTensor;
  /** [L, S, H * d], if they were asked for. */
  readonly queries: GpuTensor;
  /** The new entries, [L * KH * S, d]. */
  readonly entries: Entries;
}

/** Records a layer's attention, over whatever the caller holds and the new entries among `fresh` [L * KH * S, d]. */
export type Attend = (attention: LayerAttention, fresh: Entries) => void;
