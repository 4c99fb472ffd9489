/**
 * The ragged KV cache: per layer and per KV head, its own number of entries at their own true positions.
 *
 * What a method kept of the prompt is immutable and shared by forks; what generation adds goes to a tail of the cache's own.
 * Eviction while decoding moves what stays of both into memory of the cache's own, which it then uses again and again (evict.ts).
 * Entries are stored at KV-head granularity and an evicted one is not stored at all: `bytes` counts the allocations. They are in memory or, on
 * engines that hold them, on a device alone; places and positions are known here in either case. Older entries
 * may be in a compact form, quantised, without some channels, or shared by two layers (compact/); quantised ones take in generated tokens, too.
 */
import { advanced, appended, broughtToMemory, evicted, forked, isDue, onDevice, withSettled } from "./changes.ts";
import { type CompactEntries, refuseEviction } from "./compact/entries.ts";
import type { CompactForm } from "./compact/form.ts";
import type { CrossLayer } from "./compact/pairs.ts";
import { crossLayer, inForm } from "./compacting.ts";
import { allocatedBytes, type CacheContents, type Contents, complete, inMemory, inUse, logitsOf } from "./contents.ts";
import { type Decider, type Evictor, NOTHING_SEEN, type Workplace } from "./decider.ts";
import type { DeviceEntries } from "./device-entries.ts";
import { comesForGoes, evictions } from "./evict.ts";
import { heldBy } from "./gathered.ts";
import { lengthsOf, originsHeld, positionsHeld, tokensSeen } from "./inventory.ts";
import type { CacheGeometry, LayerEntries, LayerPlaces } from "./layer.ts";
import type { Origins } from "./origins.ts";
import type { Tail } from "./tail.ts";

export class KvCache implements Disposable {
  /** null once disposed. */
  #contents: Contents | null;
  /** Whether no other cache, and no context, shares the layers. */
  #own = false;
  #layout: object = {};
  /** Who decides after the next token, and on whose behalf. */
  #begun: { readonly evictor: Evictor; readonly decide: Decider } | null = null;

  constructor(contents: CacheContents) {
    this.#contents = complete(contents);
  }

  get #live(): Contents {
    return inUse(this.#contents);
  }

  get model(): string {
    return this.#live.model;
  }
  get geometry(): CacheGeometry {
    return this.#live.geometry;
  }
  /** The position of the next token: how many were seen so far, kept or not, unless positions are packed (see `packed`). */
  get length(): number {
    return this.#live.length;
  }
  /** Tokens seen so far, kept or not. */
  get seen(): number {
    return tokensSeen(this.#live);
  }
  /** Logits of the next token: [vocab]. Not to be written to. @throws KvError `on_device` if an engine drew from them and left them there */
  get logits(): Float32Array {
    return logitsOf(this.#live);
  }
  /**
   * What was kept of the prompt, per layer; after an eviction, what is left of it and of the tokens generated until then. Where
   * older entries are compact, what is still in fp32.
   *
   * @throws KvError `on_device` where their numbers are not in memory: \`inMemory\` brings a copy there
   */
  get layers(): readonly LayerEntries[] {
    return inMemory(this.#live).layers;
  }
  /** The same without keys and values, wherever these are. */
  get places(): readonly LayerPlaces[] {
    return this.#live.layers;
  }
  /** Tokens that generation added since the last eviction. */
  get added(): number {
    return this.#live.tail.length;
  }
  /** The entries' numbers on an engine's device; null where they are in memory. For engines. */
  get device(): DeviceEntries | null {
    return this.#live.device;
  }
  /** Older entries in their form; null where all are in fp32. */
  get compact(): CompactEntries | null {
    return this.#live.compact;
  }
  /** Where entries come from whose positions are packed; null where positions are true. */
  get packing(): Origins | null {
    return this.#live.origins;
  }
  /** Stands for the memory in which `layers` lie: another object once it is other memory. What engines remember hangs on it. */
  get layout(): object {
    return this.#layout;
  }
  /** What generation added since the last eviction: [tail.length, L * 2 * KH * d] and room to grow. @throws KvError `on_device` */
  get tail(): Tail {
    return inMemory(this.#live).tail;
  }
  /** Entries held, [layer][kvHead]. */
  get lengths(): readonly (readonly number[])[] {
    return lengthsOf(this.#live);
  }
  /**
   * Bytes allocated for keys and values: kept entries x d x 2 x 4 for `layers`, plus the tail, whose capacity is rounded up to
   * a power of two times 16 entries per KV head (nothing before the first generated token, at least 16 from then on); and of
   * compact entries the codes, scales and offsets, or what is left of them in fp32, with the list of channels; of shared ones
   * the directions, once for both layers, and each layer's norms. On a device, whole pages of entries.
   */
  get bytes(): number {
    return allocatedBytes(this.#live);
  }

  /** Positions that one KV head of one layer holds, ascending: true ones, or within the cache (see `packed`). */
  positions(layer: number, kvHead: number): Int32Array {
    return positionsHeld(this.#live, layer, kvHead);
  }

  /** Places in the text of what one KV head of one layer holds, ascending: its positions, also where these were packed. */
  origins(layer: number, kvHead: number): Int32Array {
    return originsHeld(this.#live, layer, kvHead);
  }

  /** A cache that continues on its own: shares `layers` until one of the two evicts, copies the tail. */
  fork(): KvCache {
    this.#own = false;
    const fork = new KvCache(forked(this.#live));
    fork.#begun = this.#begun;
    return fork;
  }

  /** A fork in memory, from which all that a cache holds can be read. */
  async inMemory(): Promise<KvCache> {
    this.#own = false;
    return new KvCache(await broughtToMemory(this.#live));
  }

  /** A fork whose older entries are in a compact form; this cache's are in fp32. @throws KvError `on_device` */
  inForm(form: CompactForm): KvCache {
    return new KvCache(inForm(inMemory(this.#live), form));
  }

  /** A fork of which pairs of layers share directions; this cache's are each layer's own. @throws KvError `on_device` */
  crossLayer(merge: CrossLayer): KvCache {
    return new KvCache(crossLayer(inMemory(this.#live), merge));
  }

  /** Takes in one decoded token: its keys and values [L, 2, KH, d], the logits that follow it, and what it showed. For engines. */
  append(entries: Float32Array, logits: Float32Array, sight = NOTHING_SEEN): void {
    const live = inMemory(this.#live);
    this.#contents = appended(live, entries, logits, sight);
    if (this.#contents.layers !== live.layers) this.#layout = {};
  }

  /**
   * Takes in one decoded token whose keys and values the device has already. Where generated ones are now due to go over into a compact
   * form all entries come to memory; if that fails nothing was taken in. For engines.
   */
  async advance(logits: Float32Array | null, sight = NOTHING_SEEN): Promise<void> {
    const contents = advanced(this.#live, logits, sight);
    if (!isDue(contents)) {
      this.#contents = contents;
      return;
    }
    this.#contents = withSettled(await broughtToMemory(contents));
    contents.device?.[Symbol.dispose]();
    this.#layout = {};
  }

  /** Lets go of the numbers in memory, which are on a device from now on. For engines. */
  moveTo(device: DeviceEntries): void {
    this.#contents = onDevice(this.#live, device);
    this.#layout = {};
  }

  /**
   * Who decides after the next token. An evictor that did not decide here last begins anew.
   *
   * @throws KvError `observation_missing`, `invalid_option` where it cannot begin or the cache has compact entries, `disposed`
   */
  begin(evictor: Evictor, workplace: Workplace): Decider {
    if (this.compact !== null) refuseEviction();
    if (this.#begun?.evictor !== evictor)
      this.#begun = { evictor, decide: evictor.start(heldBy(this.#live), workplace) };
    return this.#begun.decide;
  }

  /**
   * Lets entries go, generated ones too, and their memory with them; no fork sees it. For decoding, after each token.
   *
   * @throws KvError `wrong_shape` if the evictor names entries that are not there, `observation_missing` if it was shown too little,
   *   `invalid_option` for a compact cache, `disposed`
   */
  async evict(evictor: Evictor, workplace: Workplace): Promise<void> {
    const held = this.#live;
    const { gone: named, next, packed = false } = await this.begin(evictor, workplace)(heldBy(held));
    const gone = evictions(named, held);
    this.#begun = { evictor, decide: next };
    if (gone === null) return;
    const inPlace = this.#own && comesForGoes(gone, held);
    this.#contents = evicted(held, gone, inPlace, packed ? workplace : null);
    if (inPlace) return;
    this.#layout = {};
    this.#own = true;
  }

  /** Lets go of the memory that no fork shares. Using the cache afterwards is an error. */
  [Symbol.dispose](): void {
    this.#contents?.device?.[Symbol.dispose]();
    this.#contents = null;
    this.#layout = {};
  }
}
