/** A prompt's entries on the device while prefill fills them: each layer's keys and values, [KH, capacity, d]. */
import type { GpuArrays, GpuTensor } from "../../../kernels/gpu/arrays.ts";
import type { Entries, MoveRows } from "../../../kernels/move-rows/index.ts";
import type { PromptCache } from "../../cache/prompt.ts";
import type { ModelConfig } from "../../model/config.ts";
import type { Scratch } from "./scratch.ts";

export class PromptEntries implements Disposable {
  readonly capacity: number;
  readonly #config: ModelConfig;
  readonly #move: MoveRows;
  readonly #layers: readonly Entries[];
  #moves: { readonly rows: GpuTensor; readonly to: GpuTensor; readonly count: number } | null = null;

  /** With room for `more` tokens after what the cache holds, which is brought to the device. */
  constructor(arrays: GpuArrays, config: ModelConfig, move: MoveRows, cache: PromptCache, more: number) {
    const { kvHeads, headDim, layers } = config;
    this.capacity = cache.length + more;
    this.#config = config;
    this.#move = move;
    const dims = [kvHeads, this.capacity, headDim];
    const side = (label: string, held: Float32Array): GpuTensor => {
      const array = arrays.empty(label, ...dims);
      const width = cache.length * headDim;
      for (let head = 0; head < kvHeads && width > 0; head++) {
        const own = Float32Array.from(held.subarray(head * width, (head + 1) * width));
        arrays.gpu.write(array.block, head * this.capacity * headDim * Float32Array.BYTES_PER_ELEMENT, own);
      }
      return array;
    };
    const positions = arrays.empty("prompt positions", kvHeads, this.capacity); // which nobody reads: entries lie at them
    this.#layers = Array.from({ length: layers }, (_, layer) => ({
      keys: side("prompt keys", cache.keys(layer)),
      values: side("prompt values", cache.values(layer)),
      positions,
    }));
  }

  layer(layer: number): Entries {
    const entries = this.#layers[layer];
    if (entries === undefined) throw new RangeError(`no layer ${layer}`);
    return entries;
  }

  /** The next `count` tokens will be taken in behind `held` ones. */
  expect(scratch: Scratch, held: number, count: number): void {
    const { layers, kvHeads } = this.#config;
    const rows = Uint32Array.from({ length: layers * kvHeads * count }, (_, i) => i);
    const to = rows.map((row) => (Math.floor(row / count) % kvHeads) * this.capacity + held + (row % count));
    this.#moves = { rows: scratch.numbers("moved rows", rows), to: scratch.numbers("moved to", to), count };
  }

  /** Records that a layer takes in its part of the fresh entries, [L * KH * count, d]. */
  take(layer: number, fresh: Entries): void {
    if (this.#moves === null) throw new RangeError("nothing was expected");
    const { rows, to, count } = this.#moves;
    const width = this.#config.kvHeads * count;
    this.#move(fresh, { rows, to, first: layer * width, count: width }, this.layer(layer));
  }

  [Symbol.dispose](): void {
    for (const { keys, values, positions } of this.#layers)
      for (const array of [keys, values, positions]) array[Symbol.dispose]();
  }
}
