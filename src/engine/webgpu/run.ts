/** What all runs of one engine share, and how what they leave comes back. */

import type { CompactAttention, CompactScores } from "../../../kernels/compact-attention/index.ts";
import type { FlashAttentionOnGpu } from "../../../kernels/flash-attention/index.ts";
import type { GpuArrays, GpuTensor } from "../../../kernels/gpu/arrays.ts";
import type { Kernels } from "../../../kernels/index.ts";
import type { MoveRows } from "../../../kernels/move-rows/index.ts";
import type { OtherEntries, PagedAttentionOnGpu } from "../../../kernels/paged-attention/index.ts";
import type { PagedScores } from "../../../kernels/paged-scores/index.ts";
import type { Sample } from "../../../kernels/sample/index.ts";
import type { ModelConfig } from "../../model/config.ts";
import type { Network } from "./network.ts";
import type { PageStore } from "./page-store.ts";
import type { RotaryBlocks } from "./rotary.ts";
import type { Scratch } from "./scratch.ts";

export interface GpuRun {
  readonly config: ModelConfig;
  readonly arrays: GpuArrays;
  readonly kernels: Kernels;
  readonly network: Network;
  readonly rotary: RotaryBlocks;
  /** What all caches and prompts have on the device. */
  readonly store: PageStore;
  /** For lists that change from run to run. */
  readonly scratch: Scratch;
  readonly flash: FlashAttentionOnGpu;
  readonly paged: PagedAttentionOnGpu;
  readonly scores: PagedScores;
  readonly sample: Sample;
  readonly compact: (inputs: CompactAttention<GpuTensor>) => OtherEntries;
  readonly compactScores: CompactScores;
  readonly move: MoveRows;
}

/** An array's numbers, once all that was recorded is done. */
export async function floatsOf({ arrays }: GpuRun, { block, dims }: GpuTensor): Promise<Float32Array> {
  const length = dims.reduce((product, dim) => product * dim, 1);
  return new Float32Array(await arrays.gpu.read(block, 0, length * Float32Array.BYTES_PER_ELEMENT));
}
