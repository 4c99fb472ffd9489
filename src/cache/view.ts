import type { CompactEntries } from "./compact/entries.ts";
import { allocatedBytes, type Contents, inMemory, logitsOf } from "./contents.ts";
import type { DeviceEntries } from "./device-entries.ts";
import { lengthsOf, originsHeld, positionsHeld, tokensSeen } from "./inventory.ts";
import type { CacheGeometry, LayerEntries, LayerPlaces } from "./layer.ts";
import type { Origins } from "./origins.ts";
import type { Tail } from "./tail.ts";

/** What a cache tells of itself. */
export abstract class CacheView {
  /** @throws KvError `disposed` */
  protected abstract get live(): Contents;

  get model(): string {
    return this.live.model;
  }
  get geometry(): CacheGeometry {
    return this.live.geometry;
  }
  /** The position of the next token: how many were seen so far, kept or not, unless positions are packed (see `packed`). */
  get length(): number {
    return this.live.length;
  }
  /** Tokens seen so far, kept or not. */
  get seen(): number {
    return tokensSeen(this.live);
  }
  /** Logits of the next token: [vocab]. Not to be written to. @throws KvError `on_device` if an engine drew from them and left them there */
  get logits(): Float32Array {
    return logitsOf(this.live);
  }
  /**
   * What was kept of the prompt, per layer; after an eviction, what is left of it and of the tokens generated until then. Where
   * older entries are compact, what is still in fp32.
   *
   * @throws KvError `on_device` where their numbers are not in memory: `inMemory` brings a copy there
   */
  get layers(): readonly LayerEntries[] {
    return inMemory(this.live).layers;
  }
  /** The same without keys and values, wherever these are. */
  get places(): readonly LayerPlaces[] {
    return this.live.layers;
  }
  /** Tokens that generation added since the last eviction. */
  get added(): number {
    return this.live.tail.length;
  }
  /** The entries' numbers on an engine's device; null where they are in memory. For engines. */
  get device(): DeviceEntries | null {
    return this.live.device;
  }
  /** Older entries in their form; null where all are in fp32. */
  get compact(): CompactEntries | null {
    return this.live.compact;
  }
  /** Where entries come from whose positions are packed; null where positions are true. */
  get packing(): Origins | null {
    return this.live.origins;
  }
  /** What generation added since the last eviction: [tail.length, L * 2 * KH * d] and room to grow. @throws KvError `on_device` */
  get tail(): Tail {
    return inMemory(this.live).tail;
  }
  /** Entries held, [layer][kvHead]. */
  get lengths(): readonly (readonly number[])[] {
    return lengthsOf(this.live);
  }
  /**
   * Bytes allocated for keys and values: kept entries x d x 2 x 4 for `layers`, plus the tail, whose capacity is rounded up to
   * a power of two times 16 entries per KV head (nothing before the first generated token, at least 16 from then on); and of
   * compact entries the codes, scales and offsets, or what is left of them in fp32, with the list of channels; of shared ones
   * the directions, once for both layers, and each layer's norms. On a device, whole pages of entries.
   */
  get bytes(): number {
    return allocatedBytes(this.live);
  }

  /** Positions that one KV head of one layer holds, ascending: true ones, or within the cache (see `packed`). */
  positions(layer: number, kvHead: number): Int32Array {
    return positionsHeld(this.live, layer, kvHead);
  }

  /** Places in the text of what one KV head of one layer holds, ascending: its positions, also where these were packed. */
  origins(layer: number, kvHead: number): Int32Array {
    return originsHeld(this.live, layer, kvHead);
  }
}
