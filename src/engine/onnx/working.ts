/**
 * Working copies of caches that are decoded alone: each layer's entries, kept and generated, side by side with room for more,
 * so that flash attention reads and adds to them in place. The caches stay whole without them.
 *
 * A step over 128 entries takes 10 ms with them and 17 without (SmolLM2-135M, fp32, 2 threads, 2026-11). They are a second copy,
 * so all of them together stay within a limit, and they go with their caches.
 */
import type { KvCache } from "../../cache/cache.ts";
import { isUniform } from "../../cache/layer.ts";
import { TAIL_PAGE } from "../../cache/tail.ts";
import type { ModelConfig } from "../../model/config.ts";
import { countFeeds, type InPlace, inPlace } from "./feeds.ts";
import type { Feeds } from "./rows.ts";

/** Bytes of all working copies. A prompt of 1,400 tokens kept whole, on the default model; a larger cache is read where it lies. */
const LIMIT = 64 * 2 ** 20;

/** The copies of one engine: the oldest go when a new one would exceed the limit. */
export class WorkingCopies {
  readonly #config: ModelConfig;
  readonly #known = new WeakMap<KvCache, WorkingCopy>();
  #recent: readonly WeakRef<KvCache>[] = [];

  constructor(config: ModelConfig) {
    this.#config = config;
  }

  /** A copy of the cache as it is now, with room for one more token; null if it cannot have one. */
  of(cache: KvCache): WorkingCopy | null {
    const known = this.#known.get(cache);
    if (known?.refresh(cache)) return known;
    this.#known.delete(cache);
    if (!suits(this.#config, cache) || copyBytes(this.#config, cache) > LIMIT) return null;
    const copy = new WorkingCopy(this.#config, cache);
    this.#makeRoom(LIMIT - copy.bytes);
    this.#known.set(cache, copy);
    this.#recent = [...this.#recent, new WeakRef(cache)];
    return copy;
  }

  #makeRoom(bytes: number): void {
    let left = bytes;
    const stay = (reference: WeakRef<KvCache>) => {
      const cache = reference.deref();
      const copy = cache === undefined ? undefined : this.#known.get(cache);
      if (cache === undefined || copy === undefined) return false;
      left -= copy.bytes;
      if (left < 0) this.#known.delete(cache);
      return left >= 0;
    };
    this.#recent = this.#recent.toReversed().filter(stay).toReversed();
  }
}

export class WorkingCopy {
  readonly bytes: number;
  readonly run: InPlace;
  readonly #config: ModelConfig;
  /** Keys and values of each layer, in turn: [KH, capacity, d]. */
  readonly #sides: readonly Float32Array[];
  /** Kept entries per KV head of each layer. */
  readonly #kept: readonly number[];
  readonly #room: number;
  /** Rows of the cache's tail taken in so far. */
  #filled = 0;

  constructor(config: ModelConfig, cache: KvCache) {
    const { kvHeads, headDim } = config;
    this.#config = config;
    this.#kept = cache.layers.map(({ positions }) => positions.length / kvHeads);
    this.#room = roomFor(cache);
    const spread = (entries: Float32Array, kept: number) => {
      const side = new Float32Array(kvHeads * (kept + this.#room) * headDim);
      for (let head = 0; head < kvHeads; head++) {
        const part = entries.subarray(head * kept * headDim, (head + 1) * kept * headDim);
        side.set(part, head * (kept + this.#room) * headDim);
      }
      return side;
    };
    const layers = cache.layers.map(({ keys, values }, layer) => {
      const kept = this.#kept[layer] ?? 0;
      return { keys: spread(keys, kept), values: spread(values, kept) };
    });
    this.#sides = layers.flatMap(({ keys, values }) => [keys, values]);
    this.run = inPlace(config, layers);
    this.bytes = this.#sides.reduce((sum, { byteLength }) => sum + byteLength, 0);
    this.refresh(cache);
  }

  /** Takes in what the cache's tail got since, from elsewhere; false if there is no room for it and one token more. */
  refresh({ tail }: KvCache): boolean {
    if (tail.length >= this.#room) return false;
    const width = this.#sides.length * this.#config.kvHeads * this.#config.headDim;
    for (; this.#filled < tail.length; this.#filled++) {
      const row = tail.data.subarray(this.#filled * width, (this.#filled + 1) * width);
      this.#each((side, slot, at) => side.set(row.subarray(at, at + this.#config.headDim), slot));
    }
    return true;
  }

  /** How many entries each layer holds once the next token is in. */
  counts(): Feeds {
    return countFeeds(this.#kept.map((kept) => kept + this.#filled + 1));
  }

  /** The entries that a run has just added: [L, 2, KH, d]. */
  added(): Float32Array {
    const { kvHeads, headDim } = this.#config;
    const row = new Float32Array(this.#sides.length * kvHeads * headDim);
    this.#each((side, slot, at) => row.set(side.subarray(slot, slot + headDim), at));
    this.#filled++;
    return row;
  }

  /** Where the next token's entries go: each side's memory, the number's place in it, and its place in a row of a tail. */
  #each(visit: (side: Float32Array, slot: number, at: number) => void): void {
    const { kvHeads, headDim } = this.#config;
    for (const [i, side] of this.#sides.entries()) {
      const kept = this.#kept[i >> 1] ?? 0;
      for (let head = 0; head < kvHeads; head++) {
        const slot = (head * (kept + this.#room) + kept + this.#filled) * headDim;
        visit(side, slot, (i * kvHeads + head) * headDim);
      }
    }
  }
}

/** Entries per KV head beside the kept ones: the tail and at least one more, in powers of two times 16. */
const roomFor = ({ tail }: KvCache): number =>
  TAIL_PAGE * 2 ** Math.max(0, Math.ceil(Math.log2((tail.length + 1) / TAIL_PAGE)));

const copyBytes = ({ kvHeads, headDim }: ModelConfig, cache: KvCache): number =>
  cache.layers.reduce((sum, { positions }) => sum + positions.length + kvHeads * roomFor(cache), 0) * 2 * headDim * 4;

/** Flash attention takes heads of equal length, and counts a sliding window in entries: nothing may be missing there. */
function suits({ kvHeads, slidingWindow }: ModelConfig, { layers, tail, length }: KvCache): boolean {
  const whole = length - tail.length;
  return layers.every(
    (entries, layer) =>
      isUniform(entries) && ((slidingWindow[layer] ?? null) === null || entries.positions.length === whole * kvHeads),
  );
}
