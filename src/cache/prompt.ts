/**
 * The full cache of a prompt while prefill fills it, chunk by chunk.
 *
 * Each layer is one allocation of its final size, [KH, n, d]. At every moment its first KH * p * d numbers are the p positions
 * seen so far, packed as [KH, p, d], because that is the view the next chunk attends to: taking in a chunk moves the
 * heads apart in place, last head first. It may begin with entries that earlier tokens left, at whatever positions.
 */
import { KvError } from "../error.ts";
import { type CacheGeometry, isUniform, type LayerEntries, offsetsOf } from "./layer.ts";

export class PromptCache {
  readonly #geometry: CacheGeometry;
  readonly #capacity: number;
  readonly #keys: readonly Float32Array[];
  readonly #values: readonly Float32Array[];
  readonly #past: readonly LayerEntries[];
  readonly #pastLength: number;
  #length: number;

  /**
   * @param tokens how many will be taken in
   * @param past entries to begin with, copied, equally many for every head of every layer
   * @throws KvError `wrong_shape`
   */
  constructor(geometry: CacheGeometry, tokens: number, past: readonly LayerEntries[] = []) {
    this.#geometry = geometry;
    this.#past = past;
    this.#length = this.#pastLength = commonLength(geometry, past);
    this.#capacity = this.#pastLength + tokens;
    const numbers = geometry.kvHeads * this.#capacity * geometry.headDim;
    const allocate = (side: "keys" | "values") =>
      Array.from({ length: geometry.layers }, (_, layer) => {
        const buffer = new Float32Array(numbers);
        buffer.set(past[layer]?.[side] ?? []);
        return buffer;
      });
    this.#keys = allocate("keys");
    this.#values = allocate("values");
  }

  get length(): number {
    return this.#length;
  }
  /** Keys seen so far: [KH, length, d]. */
  keys(layer: number): Float32Array {
    return this.#seen(this.#keys[layer]);
  }
  /** Values seen so far: [KH, length, d]. */
  values(layer: number): Float32Array {
    return this.#seen(this.#values[layer]);
  }

  /** Takes in a chunk of `count` tokens: the keys and values of each layer in turn, [KH, count, d]. */
  append(sides: readonly Float32Array[], count: number): void {
    const { kvHeads, headDim } = this.#geometry;
    for (const [i, side] of sides.entries()) {
      const buffer = (i % 2 === 0 ? this.#keys : this.#values)[i >> 1];
      if (buffer !== undefined) insert(buffer, side, kvHeads, this.#length * headDim, count * headDim);
    }
    this.#length += count;
  }

  /**
   * The finished cache's layers. Without a past, all share one list of positions.
   *
   * @param position that of the first token taken in
   */
  finish(position = 0): readonly LayerEntries[] {
    const offsets = offsetsOf(new Array<number>(this.#geometry.kvHeads).fill(this.#capacity));
    const shared = this.#past.length === 0 ? this.#positions(undefined, position) : null;
    return this.#keys.map((keys, layer) => {
      const positions = shared ?? this.#positions(this.#past[layer]?.positions, position);
      return { keys, values: this.values(layer), positions, offsets };
    });
  }

  /** Those of the past, and after them the tokens', for each head in turn: [KH * capacity]. */
  #positions(past: Int32Array | undefined, position: number): Int32Array {
    const [size, before] = [this.#capacity, this.#pastLength];
    return Int32Array.from({ length: this.#geometry.kvHeads * size }, (_, i) => {
      const [head, entry] = [Math.floor(i / size), i % size];
      return entry < before ? (past?.[head * before + entry] ?? 0) : position + entry - before;
    });
  }

  #seen(buffer: Float32Array | undefined): Float32Array {
    return (buffer ?? new Float32Array(0)).subarray(0, this.#geometry.kvHeads * this.#length * this.#geometry.headDim);
  }
}

/** Entries per head. @throws KvError `wrong_shape` where heads or layers differ */
function commonLength({ layers, kvHeads }: CacheGeometry, past: readonly LayerEntries[]): number {
  if (past.length === 0) return 0;
  const lengths = past.map(({ positions }) => positions.length / kvHeads);
  const [length = 0] = lengths;
  if (past.length === layers && past.every(isUniform) && lengths.every((other) => other === length)) return length;
  const found = past.map(({ offsets }) => [...offsets]);
  const allowed = `equally many entries for ${kvHeads} KV heads of ${layers} layers`;
  throw new KvError({ code: "wrong_shape", path: ["prefill", "past", "layers"], found, allowed });
}

/** [heads, old] packed at the front of `buffer` becomes [heads, old + added], the added numbers taken from [heads, added]. */
function insert(buffer: Float32Array, chunk: Float32Array, heads: number, old: number, added: number): void {
  for (let h = heads - 1; h >= 0; h--) {
    const to = h * (old + added);
    buffer.copyWithin(to, h * old, (h + 1) * old);
    buffer.set(chunk.subarray(h * added, (h + 1) * added), to + old);
  }
}
