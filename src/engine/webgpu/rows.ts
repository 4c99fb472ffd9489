/** What goes through the network on the device, what attends in it, and what it leaves. */
import type { GpuTensor } from "../../../kernels/gpu/arrays.ts";
import type { Entries } from "../../../kernels/move-rows/index.ts";

/** Some tokens that go through the network together. */
export interface Rows {
  readonly tokens: Int32Array;
  readonly positions: Int32Array;
  /** The first row whose logits are wanted; null for none. */
  readonly logitsFrom: number | null;
  /** Whether queries are wanted as they meet RoPE. */
  readonly queries: boolean;
}

/** What a layer's attention is given: new queries after RoPE, [H, S, d], and where its result goes, [S, H * d]. */
export interface LayerAttention {
  readonly layer: number;
  readonly queries: GpuTensor;
  readonly out: GpuTensor;
}

/** Records a layer's attention, over what the caller holds and the layer's part of the new entries, [L * KH * S, d]. */
export type Attend = (attention: LayerAttention, fresh: Entries) => void;

/** What a run leaves on the device, until the next. */
export interface Results {
  /** [rows from logitsFrom, vocab]; none if it was null */
  readonly logits: GpuTensor;
  /** [L, S, H * d], if they were asked for. */
  readonly queries: GpuTensor;
  /** [L * KH * S, d] */
  readonly entries: Entries;
}
