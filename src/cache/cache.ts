/**
 * The ragged KV cache: per layer and per KV head, its own number of entries at their own true positions.
 *
 * What a method kept of the prompt is immutable and shared by forks; what generation adds goes to a tail of the cache's own.
 * Eviction while decoding moves what stays of both into memory of the cache's own, which it then uses again and again (evict.ts).
 * Entries are stored at KV-head granularity and an evicted one is not stored at all: `bytes` counts the allocations. Older entries
 * may be in a compact form, quantised, without some channels, or shared by two layers (compact/); quantised ones take in generated tokens, too.
 */
import { KvError } from "../error.ts";
import { mergedAcross } from "./compact/cross-layer.ts";
import { bytesOf, type CompactEntries, emptyCompact, refuseEviction, untilDue } from "./compact/entries.ts";
import type { CompactForm } from "./compact/form.ts";
import type { CrossLayer } from "./compact/pairs.ts";
import { settled } from "./compact/settle.ts";
import type { Decider, Evictor, Held, TokenSight, Workplace } from "./decider.ts";
import { comesForGoes, compacted, evictions, positionsOf, type Stored, takeOver } from "./evict.ts";
import { type CacheGeometry, headLength, inOrder, type LayerEntries } from "./layer.ts";
import { type Origins, originsOf } from "./origins.ts";
import { pack } from "./pack.ts";
import { appendRow, copyTail, emptyTail, type Tail, withoutRows } from "./tail.ts";

export interface CacheContents {
  /** Identity of the model whose keys and values these are. */
  readonly model: string;
  readonly geometry: CacheGeometry;
  readonly layers: readonly LayerEntries[];
  /** Tokens seen so far, kept or not: the position of the next one. */
  readonly length: number;
  /** Logits of the next token: [vocab]. */
  readonly logits: Float32Array;
  readonly tail?: Tail;
  /** What the prompt's attention gave to the entries of `layers` (decider.ts), where it was observed. */
  readonly received?: readonly Float32Array[] | null;
  /** Entries older than those of `layers`, in another form. */
  readonly compact?: CompactEntries | null;
  /** Where entries come from whose positions are packed; null where positions are true. */
  readonly origins?: Origins | null;
}

const NOTHING_SEEN: TokenSight = { queries: null, attention: null };

export class KvCache implements Disposable {
  #contents: CacheContents | null;
  #tail: Tail;
  /** Whether no other cache, and no context, shares the layers. */
  #own = false;
  #layout: object = {};
  /** What the newest token showed. */
  #sight = NOTHING_SEEN;
  /** Who decides after the next token, and on whose behalf. */
  #begun: { readonly evictor: Evictor; readonly decide: Decider } | null = null;

  constructor(contents: CacheContents) {
    this.#contents = contents;
    this.#tail = contents.tail ?? emptyTail;
  }

  get #live(): CacheContents {
    if (this.#contents !== null) return this.#contents;
    throw new KvError({
      code: "disposed",
      path: ["cache"],
      found: "disposed",
      allowed: "a cache in use",
      hint: "fork a cache to keep it beyond its scope",
    });
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
    const { length, origins } = this.#live;
    return origins == null ? length : origins.prompt + length - origins.next;
  }
  /** Logits of the next token: [vocab]. Not to be written to. */
  get logits(): Float32Array {
    return this.#live.logits;
  }
  /**
   * What was kept of the prompt, per layer; after an eviction, what is left of it and of the tokens generated until then. Where
   * older entries are compact, what is still in fp32.
   */
  get layers(): readonly LayerEntries[] {
    return this.#live.layers;
  }
  /** Older entries in their form; null where all are in fp32. */
  get compact(): CompactEntries | null {
    return this.#live.compact ?? null;
  }
  /** Where entries come from whose positions are packed; null where positions are true. */
  get packing(): Origins | null {
    return this.#live.origins ?? null;
  }
  /** Stands for the memory in which `layers` lie: another object once it is other memory. What engines remember hangs on it. */
  get layout(): object {
    return this.#layout;
  }
  /** What generation added since the last eviction: [tail.length, L * 2 * KH * d] and room to grow. */
  get tail(): Tail {
    void this.#live;
    return this.#tail;
  }
  /** Entries held, [layer][kvHead]. */
  get lengths(): readonly (readonly number[])[] {
    const { layers, compact, geometry } = this.#live;
    return layers.map((layer, l) =>
      Array.from({ length: geometry.kvHeads }, (_, h) => {
        const older = compact?.layers[l];
        return (older === undefined ? 0 : headLength(older, h)) + headLength(layer, h) + this.#tail.length;
      }),
    );
  }
  /**
   * Bytes allocated for keys and values: kept entries x d x 2 x 4 for `layers`, plus the tail, whose capacity is rounded up to
   * a power of two times 16 entries per KV head (nothing before the first generated token, at least 16 from then on); and of
   * compact entries the codes, scales and offsets, or what is left of them in fp32, with the list of channels; of shared ones
   * the directions, once for both layers, and each layer's norms.
   */
  get bytes(): number {
    const { layers, compact } = this.#live;
    const buffers = new Set(layers.flatMap(({ keys, values }) => [keys.buffer, values.buffer]));
    const fp32 = [...buffers, this.#tail.data.buffer].reduce((sum, buffer) => sum + buffer.byteLength, 0);
    return fp32 + (compact == null ? 0 : bytesOf(compact));
  }

  /** Positions that one KV head of one layer holds, ascending: true ones, or within the cache (see `packed`). */
  positions(layer: number, kvHead: number): Int32Array {
    const { layers, compact, geometry } = this.#live;
    if (layers[layer] === undefined || !Number.isInteger(kvHead) || kvHead < 0 || kvHead >= geometry.kvHeads) {
      const allowed = `a layer below ${geometry.layers} and a KV head below ${geometry.kvHeads}`;
      throw new KvError({ code: "invalid_option", path: ["cache", "positions"], found: [layer, kvHead], allowed });
    }
    const { positions, offsets } = compact?.layers[layer] ?? { positions: new Int32Array(0), offsets: [] };
    const older = positions.subarray(offsets[kvHead] ?? 0, offsets[kvHead + 1] ?? 0);
    return Int32Array.from([...older, ...positionsOf(this.#stored, layer, kvHead)]).sort();
  }

  /** Places in the text of what one KV head of one layer holds, ascending: its positions, also where these were packed. */
  origins(layer: number, kvHead: number): Int32Array {
    const positions = this.positions(layer, kvHead);
    const { origins } = this.#live;
    return origins == null ? positions : originsOf(origins, layer, kvHead, positions);
  }

  /** A cache that continues on its own: shares `layers` until one of the two evicts, copies the tail. */
  fork(): KvCache {
    this.#own = false;
    const fork = new KvCache({ ...this.#live, tail: copyTail(this.#tail) });
    fork.#sight = this.#sight;
    fork.#begun = this.#begun;
    return fork;
  }

  /** A fork whose older entries are in a compact form; this cache's are in fp32. */
  inForm(form: CompactForm): KvCache {
    const older = settled(emptyCompact(form, this.geometry), this.#ordered);
    return new KvCache({ ...this.#live, ...older, tail: emptyTail, received: null });
  }

  /** A fork of which pairs of layers share directions; this cache's are each layer's own. */
  crossLayer(merge: CrossLayer): KvCache {
    const merged = mergedAcross(merge, this.#ordered, (layer, kvHead) => this.origins(layer, kvHead));
    return new KvCache({ ...this.#live, ...merged, tail: copyTail(this.#tail), received: null });
  }

  /** Takes in one decoded token: its keys and values [L, 2, KH, d], the logits that follow it, and what it showed. For engines. */
  append(entries: Float32Array, logits: Float32Array, sight = NOTHING_SEEN): void {
    this.#contents = { ...this.#live, length: this.#live.length + 1, logits };
    this.#tail = appendRow(this.#tail, entries);
    this.#sight = sight;
    this.#settle();
  }

  /** Generated tokens follow the older ones into their form. */
  #settle(): void {
    const { compact, geometry } = this.#live;
    if (compact == null || untilDue(compact, this.#tail.length, geometry) > 0) return;
    this.#contents = { ...this.#live, ...settled(compact, this.#stored) };
    this.#tail = withoutRows(this.#tail, rowLength(geometry));
    this.#layout = {};
  }

  /**
   * Who decides after the next token. An evictor that did not decide here last begins anew.
   *
   * @throws KvError `observation_missing`, `invalid_option` where it cannot begin or the cache has compact entries, `disposed`
   */
  begin(evictor: Evictor, workplace: Workplace): Decider {
    if (this.compact !== null) refuseEviction();
    if (this.#begun?.evictor !== evictor) this.#begun = { evictor, decide: evictor.start(this.#held, workplace) };
    return this.#begun.decide;
  }

  /**
   * Lets entries go, generated ones too, and their memory with them; no fork sees it. For decoding, after each token.
   *
   * @throws KvError `wrong_shape` if the evictor names entries that are not there, `observation_missing` if it was shown too little,
   *   `invalid_option` for a compact cache, `disposed`
   */
  async evict(evictor: Evictor, workplace: Workplace): Promise<void> {
    const held = this.#held;
    const { gone: named, next, packed = false } = await this.begin(evictor, workplace)(held);
    const gone = evictions(named, held);
    this.#begun = { evictor, decide: next };
    if (gone === null) return;
    const { headDim } = held.geometry;
    if (this.#own && comesForGoes(gone, held)) takeOver(held, gone);
    else {
      this.#contents = { ...this.#live, layers: compacted(held, gone), received: null };
      this.#layout = {};
      this.#own = true;
    }
    if (packed)
      this.#contents = {
        ...this.#live,
        layers: this.#live.layers.map((entries, layer) =>
          pack(entries, held.length, headDim, (keys, by) => workplace.turn(layer, keys, by)),
        ),
      };
    this.#tail = withoutRows(this.#tail, rowLength(held.geometry));
  }

  /** Lets go of the memory that no fork shares. Using the cache afterwards is an error. */
  [Symbol.dispose](): void {
    this.#contents = null;
    this.#tail = emptyTail;
    this.#layout = {};
  }

  get #held(): Held {
    return { ...this.#stored, sight: this.#sight, received: this.#live.received ?? null };
  }

  get #ordered(): Stored {
    const { layers, geometry } = this.#live;
    return { ...this.#stored, layers: layers.map((entries) => inOrder(entries, geometry.headDim)) };
  }

  get #stored(): Stored {
    const { geometry, layers, length } = this.#live;
    return { geometry, layers, length, tail: this.#tail };
  }
}

/** Numbers of one token in all layers. */
const rowLength = ({ layers, kvHeads, headDim }: CacheGeometry): number => layers * 2 * kvHeads * headDim;
