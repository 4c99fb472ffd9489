/** Arrays of kernels on a GPU: brought there, made there, and given back. */
import { KvError } from "../../src/error.ts";
import type { Block, Gpu, Program, Source } from "../../src/gpu/index.ts";
import { isTensor, type Stored, type Tensor, tensor } from "../tensor.ts";

/** A dense row-major array on a device, fp32 unless a kernel says otherwise. Whoever makes it frees it. */
export interface GpuTensor extends Stored, Disposable {
  readonly block: Block;
}

export interface GpuArrays {
  readonly gpu: Gpu;
  /** A kernel's argument, on the device. One that is there already is lent: to free it here frees nothing. */
  of(argument: Stored | Tensor, label: string): GpuTensor;
  /** The same of vectors along the last dimension, each of which becomes whole vec4s: zeros follow where it has not four times some. */
  vectors(argument: Stored | Tensor, label: string): GpuTensor;
  /** An argument's numbers. */
  read(argument: Stored): Promise<Tensor>;
  /** Whole numbers or floats for a kernel's own use. */
  numbers(data: Uint32Array<ArrayBuffer> | Float32Array<ArrayBuffer>, label: string): GpuTensor;
  /** Zeros. */
  empty(label: string, ...dims: readonly number[]): GpuTensor;
  /** A kernel's result, which takes the array over. */
  result(array: GpuTensor): Promise<Tensor>;
}

export const gpuArrays = (gpu: Gpu): GpuArrays => ({
  gpu,
  of: (argument, label) =>
    isTensor(argument) ? held(gpu.upload(floats(argument.data), label), argument.dims) : lent(argument),
  vectors: (argument, label) =>
    isTensor(argument) ? held(gpu.upload(floats(inFours(argument)), label), argument.dims) : lent(argument),
  async read(argument) {
    if (isTensor(argument)) return argument;
    const { block, dims } = lent(argument);
    return tensor(new Float32Array(await gpu.read(block, 0, 4 * size(dims))), ...dims);
  },
  numbers: (data, label) => held(gpu.upload(data, label), [data.length]),
  empty: (label, ...dims) => held(gpu.allocate(4 * size(dims), label), dims),
  async result(array) {
    using own = array;
    return tensor(new Float32Array(await gpu.read(own.block)), ...own.dims);
  },
});

const held = (block: Block, dims: readonly number[]): GpuTensor => ({
  block,
  dims,
  [Symbol.dispose]: () => block[Symbol.dispose](),
});

/** What a device holds, without the right to free it. */
function lent(argument: Stored): GpuTensor {
  if (!isOnDevice(argument)) {
    const allowed = "an array in memory, or on this device";
    throw new KvError({ code: "wrong_shape", path: ["webgpu", "array"], found: argument, allowed });
  }
  return { ...argument, [Symbol.dispose]: () => undefined };
}

export const isOnDevice = (array: Stored): array is GpuTensor => "block" in array;

const size = (dims: readonly number[]): number => dims.reduce((product, dim) => product * dim, 1);

/** Vectors of whole vec4s. */
function inFours({ data, dims }: Tensor): Float32Array {
  const width = dims.at(-1) ?? 0;
  if (width % 4 === 0) return data;
  const padded = Math.ceil(width / 4) * 4;
  const rows = data.length / width;
  const out = new Float32Array(rows * padded);
  for (let row = 0; row < rows; row++) out.set(data.subarray(row * width, (row + 1) * width), row * padded);
  return out;
}

/** Numbers over memory that is not shared, as devices take them. */
const floats = (data: Float32Array): Float32Array<ArrayBuffer> =>
  data.buffer instanceof ArrayBuffer
    ? new Float32Array(data.buffer, data.byteOffset, data.length)
    : Float32Array.from(data);

/** Fields of a program's parameters, in the order of its struct: whole numbers, and floats marked as such. */
export function parameters(...fields: readonly (number | { readonly float: number })[]): Uint32Array {
  const words = new Uint32Array(fields.length);
  const asFloats = new Float32Array(words.buffer);
  for (const [i, field] of fields.entries()) {
    if (typeof field === "number") words[i] = field;
    else asFloats[i] = field.float;
  }
  return words;
}

/** Where lists of these lengths begin when they stand one after another, and where the last one ends. */
export function offsetsOf(lengths: readonly number[]): Uint32Array<ArrayBuffer> {
  const offsets = new Uint32Array(lengths.length + 1);
  for (const [i, length] of lengths.entries()) offsets[i + 1] = (offsets[i] ?? 0) + length;
  return offsets;
}

/** Runs a program on arrays: those it reads and writes, in the order of its bindings. */
export function run(
  { gpu }: GpuArrays,
  source: Source | Program,
  arrays: readonly GpuTensor[],
  grid: Parameters<Gpu["dispatch"]>[2],
  fields?: Uint32Array,
): void {
  const program = "pipeline" in source ? source : gpu.program(source);
  gpu.dispatch(
    program,
    arrays.map(({ block }) => block),
    grid,
    fields,
  );
}

/** Workgroups for so many items, `each` at a time, folded into two dimensions where one would be too long. */
export function grid(items: number, each: number): readonly [number, number] {
  const groups = Math.ceil(items / each);
  const x = Math.min(groups, MOST_GROUPS);
  return [x, Math.ceil(groups / Math.max(1, x))];
}

/** Below every device's limit. A program finds its item as (y * MOST_GROUPS + x) * each + invocation. */
export const MOST_GROUPS = 32768;
