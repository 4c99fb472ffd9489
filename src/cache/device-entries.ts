/** Entries whose numbers are on an engine's device: a cache then knows places and positions, and keeps no copy of keys and values. */
import type { Stored } from "../../kernels/index.ts";
import type { LayerEntries } from "./layer.ts";
import type { Turn } from "./pack.ts";

/** Keys and values of some entries, whoever asked for them frees them. */
export interface Picked extends Disposable {
  /** [heads, entries, d] */
  readonly keys: Stored;
  /** [heads, entries, d] */
  readonly values: Stored;
}

/** A layer's entries in a new order: [entries], for each the place in its head that it had before; the tail's follow those kept. */
export interface Rearranged extends Pick<LayerEntries, "offsets"> {
  readonly before: Float32Array;
}

/** Numbers of one layer in memory: [entries, d] each. */
export type Numbers = Pick<LayerEntries, "keys" | "values">;

/** What a cache has on a device. The cache says what becomes of it, and who asked for it frees it. */
export interface DeviceEntries extends Disposable {
  /** Bytes taken for keys and values. */
  readonly bytes: number;
  /** The same for a cache that goes on alone: shares what was kept until one of the two rearranges it, and copies the tail. */
  fork(tail: number): DeviceEntries;
  /**
   * After an eviction: all that stays is among the kept, and the tail is empty. It is used up by this.
   *
   * @param inPlace whether nobody shares what was kept, and every head holds as many as before
   */
  rearranged(layers: readonly Rearranged[], inPlace: boolean): DeviceEntries;
  /** Turns kept keys by so many positions. @param frequencies RoPE's of the layer: [d / 2] */
  turn(layer: number, turns: readonly Turn[], frequencies: Float64Array): void;
  /** Some heads' entries at equally many places each. */
  picked(layer: number, kvHeads: readonly number[], places: readonly ArrayLike<number>[]): Picked;
  /** A copy in memory: what was kept, and the tail's rows [tail, L * 2 * KH * d]. */
  read(tail: number): Promise<{ readonly layers: readonly Numbers[]; readonly tail: Float32Array }>;
}
