/** A prompt's entries while prefill fills them and methods choose among them, in memory or on an engine's device. */
import type { Stored } from "../../kernels/index.ts";
import type { DeviceEntries } from "./device-entries.ts";
import type { LayerEntries, Places } from "./layer.ts";
import type { Selection } from "./selection.ts";

/** Equally many entries in every layer and KV head, at true positions. Whoever asked for them frees them. */
export interface PromptEntries extends Disposable {
  /** Entries held per head. */
  readonly length: number;
  /** Tokens seen so far, held or not: the true position of the next one. */
  readonly position: number;
  /** Where each layer's entries come from: [KH, length]. */
  readonly places: readonly Places[];
  /** A layer's keys and values, [KH, length, d] each: right until the next change. */
  stored(layer: number): { readonly keys: Stored; readonly values: Stored };
  /**
   * Lets go of all entries but these.
   *
   * @param selection for each layer and KV head equally many, ascending: the how manieth of those held
   * @throws KvError `wrong_shape` where heads or layers differ
   */
  retain(selection: Selection): void;
  /** Forgets the tokens after the first `length`, none of which may have been let go. */
  rewind(length: number): void;
  /** A copy with room for so many tokens more. */
  copy(room: number): PromptEntries;
  /** The layers in memory: views, which the next change makes wrong. @throws KvError `on_device` for entries that are not there */
  layers(): readonly LayerEntries[];
  /** The layers in memory, brought there where they are not. */
  read(): Promise<readonly LayerEntries[]>;
  /** Makes what a cache has on the device of some of the entries, or of all; null for entries in memory. */
  readonly onDevice: ((selection: Selection | null) => DeviceEntries) | null;
}
