/** Arrays that a network works in, by name: made when first asked for, larger ones when more is asked, and used again by every run. */
import type { GpuArrays, GpuTensor } from "../../../kernels/gpu/arrays.ts";

export class Scratch implements Disposable {
  readonly #arrays: GpuArrays;
  readonly #known = new Map<string, GpuTensor>();

  constructor(arrays: GpuArrays) {
    this.#arrays = arrays;
  }

  /** With whatever numbers the last user left. Good until more is asked for under this name. */
  of(name: string, ...dims: readonly number[]): GpuTensor {
    const bytes = 4 * dims.reduce((product, dim) => product * dim, 1);
    const known = this.#known.get(name);
    if (known !== undefined && known.block.byteLength >= bytes) return { ...known, dims };
    known?.[Symbol.dispose]();
    this.#known.delete(name); // also where there is no room for another
    const made = this.#arrays.empty(name, Math.ceil(bytes / 4));
    this.#known.set(name, made);
    return { ...made, dims };
  }

  /** Numbers, written before what is recorded from now on. */
  numbers(name: string, data: Uint32Array<ArrayBuffer> | Float32Array<ArrayBuffer>): GpuTensor {
    const array = this.of(name, Math.max(1, data.length));
    if (data.length > 0) this.#arrays.gpu.write(array.block, 0, data);
    return { ...array, dims: [data.length] };
  }

  [Symbol.dispose](): void {
    for (const array of this.#known.values()) array[Symbol.dispose]();
    this.#known.clear();
  }
}
