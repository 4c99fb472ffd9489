/** What all runs of one engine share, and how what they leave comes back. */

import type { FlashAttentionOnGpu } from "../../../kernels/flash-attention/index.ts";
import type { GpuArrays, GpuTensor } from "../../../kernels/gpu/arrays.ts";
import type { Kernels } from "../../../kernels/index.ts";
import type { Entries, MoveRows } from "../../../kernels/move-rows/index.ts";
import type { PagedAttentionOnGpu } from "../../../kernels/paged-attention/index.ts";
import type { PagedScores } from "../../../kernels/paged-scores/index.ts";
import type { ModelConfig } from "../../model/config.ts";
import type { HeldEntries } from "./held.ts";
import type { Network } from "./network.ts";
import type { RotaryBlocks } from "./rotary.ts";
import type { Scratch } from "./scratch.ts";

export interface GpuRun {
  readonly config: ModelConfig;
  readonly arrays: GpuArrays;
  readonly kernels: Kernels;
  readonly network: Network;
  readonly rotary: RotaryBlocks;
  readonly held: HeldEntries;
  /** For lists that change from run to run. */
  readonly scratch: Scratch;
  readonly flash: FlashAttentionOnGpu;
  readonly paged: PagedAttentionOnGpu;
  readonly scores: PagedScores;
  readonly move: MoveRows;
}

/** An array's numbers, once all that was recorded is done. */
export async function floatsOf({ arrays }: GpuRun, { block, dims }: GpuTensor): Promise<Float32Array> {
  const length = dims.reduce((product, dim) => product * dim, 1);
  return new Float32Array(await arrays.gpu.read(block, 0, length * Float32Array.BYTES_PER_ELEMENT));
}

/** New entries of `count` tokens as caches take them: [L, 2, KH, count, d]. */
export async function entriesOf(run: GpuRun, { keys, values }: Entries, count: number): Promise<Float32Array> {
  const { layers, kvHeads, headDim } = run.config;
  const sides = [await floatsOf(run, keys), await floatsOf(run, values)];
  const part = kvHeads * count * headDim;
  const entries = new Float32Array(2 * layers * part);
  for (const [side, data] of sides.entries())
    for (let layer = 0; layer < layers; layer++)
      entries.set(data.subarray(layer * part, (layer + 1) * part), (2 * layer + side) * part);
  return entries;
}
