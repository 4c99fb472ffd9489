import type { GpuTensor } from "../gpu/arrays.ts";

/**
 * Copies keys, values and positions of some entries into slots of a pool: slot to[i] takes row rows[i].
 *
 * keys and values are [any, d] (d a multiple of 4), positions u32 [any]; the pool's likewise. `rows` and `to` are u32 [n].
 */
export type MoveRows = (source: Entries, rows: GpuTensor, pool: Entries, to: GpuTensor) => void;

/** Entries on a device. */
export interface Entries {
  readonly keys: GpuTensor;
  readonly values: GpuTensor;
  readonly positions: GpuTensor;
}
