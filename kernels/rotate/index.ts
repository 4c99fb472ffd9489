import type { GpuTensor } from "../gpu/arrays.ts";

export interface RotateInputs {
  /** [S, (H + 2 KH) * d]: queries, keys and values side by side. */
  readonly joint: GpuTensor;
  /** Scales of the queries' and the keys' RMS norm, [2, d]; null for networks without. */
  readonly norms: GpuTensor | null;
  /** Cosine and sine side by side, [M, d / 2, 2]. */
  readonly table: GpuTensor;
  /** Each row's row of the table: u32 [S]. */
  readonly positions: GpuTensor;
}

export interface RotateOutputs {
  /** After RoPE: [H, S, d]. */
  readonly queries: GpuTensor;
  /** As they meet RoPE, from row `first` on [S, H * d]; left as it is where `first` is null. */
  readonly before: { readonly array: GpuTensor; readonly first: number | null };
  /** [any, d], from `firstEntry` on [KH, S, d]; keys after RoPE. */
  readonly keys: GpuTensor;
  readonly values: GpuTensor;
  readonly firstEntry: number;
}

/** Makes a layer's queries, keys and values of its projections: RMS norm of each head, a factor on queries, RoPE (channel i turns with i + d / 2). */
export type Rotate = (inputs: RotateInputs, outputs: RotateOutputs) => void;
