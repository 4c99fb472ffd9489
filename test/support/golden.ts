/** Reads the golden fixtures: safetensors with F32, I64, I32 and I16 tensors, and JSON. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

export interface GoldenTensor {
  readonly data: Float32Array | Int32Array | Int16Array | BigInt64Array;
  readonly dims: readonly number[];
}

export interface GoldenEntry extends GoldenTensor {
  /** The data, if it is F32. */
  readonly floats: Float32Array;
  /** The data as numbers. */
  readonly ints: readonly number[];
}

export type Golden = (name: string) => GoldenEntry;

/** Absolute path of a fixture. */
export const fixture = (path: string): string => fileURLToPath(new URL(`../fixtures/${path}`, import.meta.url));

export const goldenJson = (path: string): unknown => JSON.parse(readFileSync(fixture(path), "utf8"));

const VIEWS = { F32: Float32Array, I32: Int32Array, I16: Int16Array, I64: BigInt64Array } as const;

/** Opens a fixture file; the function it gives reads one tensor and throws on an unknown name. */
export function golden(path: string): Golden {
  const file = readFileSync(fixture(path));
  const headerLength = Number(file.readBigUInt64LE(0));
  const header = JSON.parse(file.toString("utf8", 8, 8 + headerLength)) as Record<
    string,
    { dtype: keyof typeof VIEWS; shape: number[]; data_offsets: [number, number] } | undefined
  >;
  return (name) => {
    const entry = header[name];
    if (entry === undefined) throw new Error(`${path} has no ${name}`);
    const [from, to] = entry.data_offsets;
    const bytes = Uint8Array.from(file.subarray(8 + headerLength + from, 8 + headerLength + to)).buffer;
    const data = new VIEWS[entry.dtype](bytes);
    return {
      data,
      floats: data instanceof Float32Array ? data : new Float32Array(0),
      ints: Array.from(data, Number),
      dims: entry.shape,
    };
  };
}

/** Largest absolute difference; infinite for different lengths or NaN, so that no comparison passes by accident. */
export function maxDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  let worst = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs((a[i] ?? Number.NaN) - (b[i] ?? Number.NaN));
    if (Number.isNaN(difference)) return Number.POSITIVE_INFINITY;
    worst = Math.max(worst, difference);
  }
  return worst;
}
