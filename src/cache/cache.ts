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
import { refuseEviction } from "./compact/entries.ts";
import type { CompactForm } from "./compact/form.ts";
import type { CrossLayer } from "./compact/pairs.ts";
import { crossLayer, inForm } from "./compacting.ts";
import { type CacheContents, type Contents, complete, inMemory, inUse } from "./contents.ts";
import { type Decider, type Evictor, NOTHING_SEEN, type Workplace } from "./decider.ts";
import type { DeviceEntries } from "./device-entries.ts";
import { comesForGoes, evictions } from "./evict.ts";
import { heldBy } from "./gathered.ts";
import { CacheView } from "./view.ts";

export class KvCache extends CacheView implements Disposable {
  /** null once disposed. */
  #contents: Contents | null;
  /** Whether no other cache, and no context, shares the layers. */
  #own = false;
  #layout: object = {};
  /** Who decides after the next token, and on whose behalf. */
  #begun: { readonly evictor: Evictor; readonly decide: Decider } | null = null;

  constructor(contents: CacheContents) {
    super();
    this.#contents = complete(contents);
  }

  protected override get live(): Contents {
    return inUse(this.#contents);
  }

  /** Stands for the memory in which `layers` lie: another object once it is other memory. What engines remember hangs on it. */
  get layout(): object {
    return this.#layout;
  }

  /** A cache that continues on its own: shares `layers` until one of the two evicts, copies the tail. */
  fork(): KvCache {
    this.#own = false;
    const fork = new KvCache(forked(this.live));
    fork.#begun = this.#begun;
    return fork;
  }

  /** A fork in memory, from which all that a cache holds can be read. */
  async inMemory(): Promise<KvCache> {
    this.#own = false;
    return new KvCache(await broughtToMemory(this.live));
  }

  /** A fork whose older entries are in a compact form; this cache's are in fp32. @throws KvError `on_device` */
  inForm(form: CompactForm): KvCache {
    return new KvCache(inForm(inMemory(this.live), form));
  }

  /** A fork of which pairs of layers share directions; this cache's are each layer's own. @throws KvError `on_device` */
  crossLayer(merge: CrossLayer): KvCache {
    return new KvCache(crossLayer(inMemory(this.live), merge));
  }

  /** Takes in one decoded token: its keys and values [L, 2, KH, d], the logits that follow it, and what it showed. For engines. */
  append(entries: Float32Array, logits: Float32Array, sight = NOTHING_SEEN): void {
    const live = inMemory(this.live);
    this.#contents = appended(live, entries, logits, sight);
    if (this.#contents.layers !== live.layers) this.#layout = {};
  }

  /**
   * Takes in one decoded token whose keys and values the device has already. Where generated ones are now due to go over into a compact
   * form all entries come to memory; if that fails nothing was taken in. For engines.
   */
  async advance(logits: Float32Array | null, sight = NOTHING_SEEN): Promise<void> {
    const contents = advanced(this.live, logits, sight);
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
    this.#contents = onDevice(this.live, device);
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
      this.#begun = { evictor, decide: evictor.start(heldBy(this.live), workplace) };
    return this.#begun.decide;
  }

  /**
   * Lets entries go, generated ones too, and their memory with them; no fork sees it. For decoding, after each token.
   *
   * @throws KvError `wrong_shape` if the evictor names entries that are not there, `observation_missing` if it was shown too little,
   *   `invalid_option` for a compact cache, `disposed`
   */
  async evict(evictor: Evictor, workplace: Workplace): Promise<void> {
    const held = this.live;
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
