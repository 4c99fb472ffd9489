import type { GpuTensor } from "../gpu/arrays.ts";

/** Keys to turn, and by how much. */
export interface KeyTurns {
  /** Rows of the keys, each at most once: u32 [count]. */
  readonly rows: GpuTensor;
  /** For each of them the row of the table that it is turned by: u32 [count]. */
  readonly by: GpuTensor;
  /** Cosines and then sines of a turn's d/2 angles: [any, d]. */
  readonly table: GpuTensor;
  readonly count: number;
}

/**
 * Turns keys [any, d] on a device where they lie, as if they had come so many positions later: channel i of a key with channel i + d/2.
 *
 * @see https://arxiv.org/abs/2104.09864
 */
export type TurnKeys = (keys: GpuTensor, turns: KeyTurns) => void;
