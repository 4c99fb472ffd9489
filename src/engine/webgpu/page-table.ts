/**
 * Which pages belong to which heads, as the device reads it: one array for all sequences, in which each layer's heads have a stretch that is
 * written when their pages change, and not at every step.
 */
import type { GpuArrays, GpuTensor } from "../../../kernels/gpu/arrays.ts";

const FIRST_ROOM = 1024;

/** A stretch of the table: as long as a power of two. */
interface Stretch {
  readonly begin: number;
  readonly power: number;
}

/** Where each head's pages begin in the table. */
export interface Tabled {
  readonly begins: readonly number[];
  readonly stretch: Stretch;
}

export class PageTable implements Disposable {
  readonly #arrays: GpuArrays;
  /** Stretches that were given back, by their power. */
  readonly #free = new Map<number, Stretch[]>();
  #array: GpuTensor;
  #room = FIRST_ROOM;
  #taken = 0;

  constructor(arrays: GpuArrays) {
    this.#arrays = arrays;
    this.#array = arrays.empty("page table", FIRST_ROOM);
  }

  /** u32: another array after the table has grown. */
  get array(): GpuTensor {
    return this.#array;
  }

  /** Writes each head's pages down, side by side. */
  write(pages: readonly (readonly number[])[]): Tabled {
    const flat = Uint32Array.from(pages.flat());
    const stretch = this.#take(Math.ceil(Math.log2(Math.max(1, flat.length))));
    this.#arrays.gpu.write(this.#array.block, stretch.begin * Uint32Array.BYTES_PER_ELEMENT, flat);
    let next = stretch.begin;
    const begins = pages.map((own) => {
      const begin = next;
      next += own.length;
      return begin;
    });
    return { begins, stretch };
  }

  release({ stretch }: Tabled): void {
    const same = this.#free.get(stretch.power);
    if (same === undefined) this.#free.set(stretch.power, [stretch]);
    else same.push(stretch);
  }

  #take(power: number): Stretch {
    const again = this.#free.get(power)?.pop();
    if (again !== undefined) return again;
    const stretch = { begin: this.#taken, power };
    this.#taken += 2 ** power;
    if (this.#taken > this.#room) this.#grow(Math.max(2 * this.#room, this.#taken));
    return stretch;
  }

  #grow(room: number): void {
    const old = this.#array;
    this.#array = this.#arrays.empty("page table", room);
    this.#arrays.gpu.copy(old.block, 0, this.#array.block, 0, old.block.byteLength);
    old[Symbol.dispose]();
    this.#room = room;
  }

  [Symbol.dispose](): void {
    this.#array[Symbol.dispose]();
  }
}
