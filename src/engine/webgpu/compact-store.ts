/** Compact entries on the device: brought there once, for all caches that share them, until the last of these lets go. */
import type { CompactBlocks } from "../../../kernels/compact-attention/index.ts";
import type { GpuArrays, GpuTensor } from "../../../kernels/gpu/arrays.ts";
import type { CompactEntries } from "../../cache/compact/entries.ts";
import { type CacheGeometry, headLength } from "../../cache/layer.ts";
import { compactBlocks } from "./compact-blocks.ts";

export class CompactOnDevice {
  readonly blocks: CompactBlocks<GpuTensor>;
  readonly #longest: readonly number[];
  readonly #owned: DisposableStack;
  #users = 1;

  constructor({ numbers }: GpuArrays, compact: CompactEntries, geometry: CacheGeometry) {
    const blocks = compactBlocks(compact, geometry);
    using made = new DisposableStack();
    this.blocks = {
      ...blocks,
      codes: made.use(numbers(blocks.codes, "compact codes")),
      floats: made.use(numbers(blocks.floats, "compact floats")),
      places: made.use(numbers(blocks.places, "places of compact entries")),
      heads: made.use(numbers(blocks.heads, "heads of compact entries")),
    };
    this.#owned = made.move();
    this.#longest = compact.layers.map((places) =>
      Math.max(...Array.from({ length: geometry.kvHeads }, (_, head) => headLength(places, head))),
    );
  }

  /** The most entries that any KV head of a layer has. */
  longest(layer: number): number {
    return this.#longest[layer] ?? 0;
  }

  get isHeld(): boolean {
    return this.#users > 0;
  }

  share(): this {
    this.#users++;
    return this;
  }

  release(): void {
    this.#users--;
    if (this.isHeld) return;
    this.#owned.dispose();
  }
}

export class CompactStore {
  readonly #arrays: GpuArrays;
  readonly #geometry: CacheGeometry;
  readonly #known = new WeakMap<CompactEntries, CompactOnDevice>();

  constructor(arrays: GpuArrays, geometry: CacheGeometry) {
    this.#arrays = arrays;
    this.#geometry = geometry;
  }

  /** These entries on the device; whoever asked for them releases them. */
  hold(compact: CompactEntries): CompactOnDevice {
    const known = this.#known.get(compact);
    if (known?.isHeld === true) return known.share();
    const brought = new CompactOnDevice(this.#arrays, compact, this.#geometry);
    this.#known.set(compact, brought);
    return brought;
  }
}
