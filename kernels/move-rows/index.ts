import type { GpuTensor } from "../gpu/arrays.ts";

/** Entries on a device: keys and values [any, d], d a multiple of 4, and positions u32 [any]. */
export interface Entries {
  readonly keys: GpuTensor;
  readonly values: GpuTensor;
  readonly positions: GpuTensor;
}

/** Which rows go to which slots: slot to[i] takes row rows[i], for first <= i < first + count. Both lists are u32. */
export interface Moves {
  readonly rows: GpuTensor;
  readonly to: GpuTensor;
  readonly first: number;
  readonly count: number;
}

/** Copies entries into slots of a pool. */
export type MoveRows = (source: Entries, moves: Moves, pool: Entries) => void;

/** Copies entries of a pool into other slots of it, `count` from `sources` to `slots` (u32), none of which is among the sources. */
export type MoveWithin = (pool: Entries, sources: GpuTensor, slots: GpuTensor, count: number) => void;
