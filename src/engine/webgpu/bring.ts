/** Brings tensors to the device, one after the other and piece by piece, so that a caller sees how far it is and may end it. */
import type { GpuArrays, GpuTensor } from "../../../kernels/gpu/arrays.ts";
import type { GpuMatrix } from "../../../kernels/gpu/matrix/matrix.ts";
import { leastBytes, type MatrixSource } from "../../../kernels/gpu/matrix/planes.ts";
import { beginUpload } from "../../../kernels/gpu/matrix/upload.ts";
import { throwIfAborted } from "../../abort.ts";
import { storedBytes } from "../../model/weights/dequantise.ts";
import type { WeightInfo, Weights } from "../../model/weights/weights.ts";

export interface BringOptions {
  /** Told bytes of the files that are on the device, and how many there are in all. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  /** Nothing stays on the device once it has fired. */
  readonly signal?: AbortSignal | undefined;
}

/** Frees all that it brought. */
export class Bringer implements Disposable {
  readonly #arrays: GpuArrays;
  readonly #weights: Weights;
  readonly #options: BringOptions;
  readonly #owned = new DisposableStack();
  readonly #total: number;
  #done = 0;

  /** @param names of all that will be brought */
  constructor(arrays: GpuArrays, weights: Weights, names: readonly string[], options: BringOptions) {
    this.#arrays = arrays;
    this.#weights = weights;
    this.#options = options;
    this.#total = names.reduce((sum, name) => sum + bytesOf(weights.info(name)), 0);
  }

  /** Matrices one below the other. @throws KvError `aborted`, `out_of_memory` */
  async matrix(...names: readonly string[]): Promise<GpuMatrix> {
    const { gpu } = this.#arrays;
    const sources = names.map((name) => sourceOf(this.#weights, name));
    const { matrix, pieces } = beginUpload(gpu, names.join("+"), sources);
    this.#owned.use(matrix);
    for (const { source, rows } of pieces) {
      const { type, shape } = this.#weights.info(names[source] ?? "");
      await this.#brought(storedBytes(type, rows * (shape[1] ?? 0)));
    }
    return matrix;
  }

  /** Vectors one after the other. @throws KvError `aborted`, `out_of_memory` */
  async vector(...names: readonly string[]): Promise<GpuTensor> {
    const data = Float32Array.from(names.flatMap((name) => [...this.#weights.read(name)]));
    const array = this.#owned.use(this.#arrays.numbers(data, names.join("+")));
    await this.#brought(names.reduce((sum, name) => sum + bytesOf(this.#weights.info(name)), 0));
    return array;
  }

  /** Waits for the device, which else would have everything in the host's memory, and would say last what it has no room for. */
  async #brought(bytes: number): Promise<void> {
    await this.#arrays.gpu.settled();
    this.#done += bytes;
    this.#options.onProgress?.(this.#done, this.#total);
    throwIfAborted(this.#options.signal, ["signal"]);
  }

  [Symbol.dispose](): void {
    this.#owned[Symbol.dispose]();
  }
}

/** Bytes that tensors take on the device, at least. */
export const leastBytesOf = (weights: Weights, names: readonly string[]): number =>
  names.reduce((sum, name) => sum + leastBytes(sourceOf(weights, name)), 0);

const bytesOf = ({ type, shape }: WeightInfo): number =>
  storedBytes(
    type,
    shape.reduce((product, size) => product * size, 1),
  );

/** A vector is one row. */
function sourceOf(weights: Weights, name: string): MatrixSource {
  const { shape, type } = weights.info(name);
  const [rows = 0, columns = 0] = shape.length === 1 ? [1, ...shape] : shape;
  const matrix = weights.quantised(name);
  if (matrix !== null) return { type: "quantised", rows, columns, matrix };
  const read = (from: number, to: number) =>
    weights.readRows(
      name,
      Int32Array.from({ length: to - from }, (_, i) => from + i),
    );
  return { type: type === "F16" ? "f16" : "f32", rows, columns, read };
}
