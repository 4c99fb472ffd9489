/**
 * Where a layer's cached entries live on the device: pages of some entries of one KV head, of all sequences together, so that one dispatch
 * reads any batch. A page that is let go is used again; the pool grows when it is full.
 */
import type { GpuArrays } from "../../../kernels/gpu/arrays.ts";
import type { Entries } from "../../../kernels/move-rows/index.ts";
import { PAGE } from "../../../kernels/paged-attention/index.ts";
import type { CacheGeometry } from "../../cache/layer.ts";

const FIRST_PAGES = 64;
/** Little, because what is not used yet is memory all the same. */
const GROWTH = 1.25;

/** A pool for each layer, or none where there is no room for all. @throws KvError `out_of_memory` */
export function pagePools(arrays: GpuArrays, { layers, headDim }: CacheGeometry): readonly PagePool[] {
  using made = new DisposableStack();
  const pools = Array.from({ length: layers }, () => made.use(new PagePool(arrays, headDim)));
  made.move();
  return pools;
}

export class PagePool implements Disposable {
  readonly #arrays: GpuArrays;
  readonly #headDim: number;
  #entries: Entries;
  #pages = FIRST_PAGES;
  #free: number[] = [];
  #taken = 0;

  constructor(arrays: GpuArrays, headDim: number) {
    this.#arrays = arrays;
    this.#headDim = headDim;
    this.#entries = this.#room(FIRST_PAGES);
  }

  /** keys and values [pages, PAGE, d], positions u32 [pages, PAGE]: other arrays after the pool has grown. */
  get entries(): Entries {
    return this.#entries;
  }

  /** Pages that hold something. */
  get used(): number {
    return this.#taken - this.#free.length;
  }

  take(count: number): number[] {
    const fresh = Math.max(0, count - this.#free.length);
    // Before anything is taken: there may be no room for more.
    if (this.#taken + fresh > this.#pages) this.#grow(Math.max(Math.ceil(GROWTH * this.#pages), this.#taken + fresh));
    const pages = this.#free.splice(Math.max(0, this.#free.length - count));
    for (let i = 0; i < fresh; i++) pages.push(this.#taken++);
    return pages;
  }

  release(pages: readonly number[]): void {
    this.#free.push(...pages);
  }

  #grow(pages: number): void {
    const old = this.#entries;
    this.#entries = this.#room(pages);
    for (const name of ["keys", "values", "positions"] as const) {
      const [from, to] = [old[name].block, this.#entries[name].block];
      this.#arrays.gpu.copy(from, 0, to, 0, from.byteLength);
    }
    free(old);
    this.#pages = pages;
  }

  #room(pages: number): Entries {
    using made = new DisposableStack(); // all three or none
    const array = (label: string, ...dims: readonly number[]) => made.use(this.#arrays.empty(label, ...dims));
    const room = {
      keys: array("pages of keys", pages, PAGE, this.#headDim),
      values: array("pages of values", pages, PAGE, this.#headDim),
      positions: array("pages of positions", pages, PAGE),
    };
    made.move();
    return room;
  }

  [Symbol.dispose](): void {
    free(this.#entries);
  }
}

function free({ keys, values, positions }: Entries): void {
  for (const array of [keys, values, positions]) array[Symbol.dispose]();
}
