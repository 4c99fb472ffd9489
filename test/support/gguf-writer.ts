/** Writes small GGUF files, right and wrong ones, as llama.cpp's converter would: a reader's tests need both. */

import type { WeightType } from "../../src/model/weights/weights.ts";
import { quantise } from "./quantise.ts";

export type GgufScalar =
  | { readonly type: "u8" | "u32" | "i32" | "f32" | "u64" | "bool"; readonly value: number }
  | { readonly type: "text"; readonly value: string };
export type GgufEntry =
  | GgufScalar
  | { readonly type: "array"; readonly of: number; readonly values: readonly GgufScalar[] };

export const u32 = (value: number): GgufScalar => ({ type: "u32", value });
export const i32 = (value: number): GgufScalar => ({ type: "i32", value });
export const f32 = (value: number): GgufScalar => ({ type: "f32", value });
export const bool = (value: boolean): GgufScalar => ({ type: "bool", value: Number(value) });
export const text = (value: string): GgufScalar => ({ type: "text", value });
export const texts = (values: readonly string[]): GgufEntry => ({ type: "array", of: 8, values: values.map(text) });
export const bools = (values: readonly boolean[]): GgufEntry => ({ type: "array", of: 7, values: values.map(bool) });
export const integers = (values: readonly number[]): GgufEntry => ({ type: "array", of: 5, values: values.map(i32) });

export interface GgufTensorSource {
  readonly name: string;
  readonly type: WeightType;
  /** [rows, columns] or [length]; written in ggml's order. */
  readonly shape: readonly number[];
  readonly values: ArrayLike<number>;
  /** Lies about the type, by number. */
  readonly claimedType?: number;
  /** Lies about the offset. */
  readonly claimedOffset?: number;
}

export interface GgufSource {
  readonly metadata?: readonly (readonly [string, GgufEntry])[];
  readonly tensors?: readonly GgufTensorSource[];
  readonly version?: number;
  readonly alignment?: number;
}

const typeNumbers: Readonly<Record<WeightType, number>> = {
  F32: 0,
  F16: 1,
  Q4_0: 2,
  Q4_1: 3,
  Q5_0: 6,
  Q5_1: 7,
  Q8_0: 8,
  Q2_K: 10,
  Q3_K: 11,
  Q4_K: 12,
  Q5_K: 13,
  Q6_K: 14,
  BF16: 30,
};
const valueTypes = { u8: 0, u32: 4, i32: 5, f32: 6, bool: 7, text: 8, array: 9, u64: 10 } as const;

/** The bytes of a GGUF file. */
export function ggufBytes({ metadata = [], tensors = [], version = 3, alignment = 32 }: GgufSource): Buffer {
  const data = tensors.map(({ type, values }) => padded(quantise(type, values), alignment));
  let offset = 0;
  const directory = tensors.map((tensor, i) => {
    const entry = Buffer.concat([
      string(tensor.name),
      number("u32", tensor.shape.length),
      ...tensor.shape.toReversed().map((size) => number("u64", size)),
      number("u32", tensor.claimedType ?? typeNumbers[tensor.type]),
      number("u64", tensor.claimedOffset ?? offset),
    ]);
    offset += data[i]?.length ?? 0;
    return entry;
  });
  const head = Buffer.concat([
    Buffer.from("GGUF"),
    number("u32", version),
    number("u64", tensors.length),
    number("u64", metadata.length),
    ...metadata.flatMap(([key, entry]) => [string(key), number("u32", valueTypes[entry.type]), value(entry)]),
    ...directory,
  ]);
  return Buffer.concat([padded(head, alignment), ...data]);
}

/**
 * What llama.cpp's converter does to the rows of Q and K: [heads, 2, d/2, columns] to [heads, d/2, 2, columns].
 *
 * @param values [heads × d, columns]
 */
export function pairRows(values: ArrayLike<number>, heads: number, columns: number): Float32Array {
  const half = values.length / columns / heads / 2;
  return Float32Array.from(values, (_, to) => {
    const [row, column] = [Math.floor(to / columns), to % columns];
    const [head, inHead] = [Math.floor(row / (2 * half)), row % (2 * half)];
    const from = head * 2 * half + (inHead % 2) * half + Math.floor(inHead / 2);
    return values[from * columns + column] ?? 0;
  });
}

function value(entry: GgufEntry): Buffer {
  if (entry.type === "text") return string(entry.value);
  if (entry.type !== "array") return number(entry.type, entry.value);
  return Buffer.concat([number("u32", entry.of), number("u64", entry.values.length), ...entry.values.map(value)]);
}

function string(value: string): Buffer {
  const bytes = Buffer.from(value, "utf8");
  return Buffer.concat([number("u64", bytes.length), bytes]);
}

function number(type: Exclude<GgufScalar["type"], "text">, value: number): Buffer {
  const buffer = Buffer.alloc(type === "u64" ? 8 : type === "u8" || type === "bool" ? 1 : 4);
  if (type === "u64") buffer.writeBigUInt64LE(BigInt(value));
  else if (type === "f32") buffer.writeFloatLE(value);
  else if (type === "i32") buffer.writeInt32LE(value);
  else if (type === "u32") buffer.writeUInt32LE(value);
  else buffer.writeUInt8(value);
  return buffer;
}

const padded = (bytes: Buffer, alignment: number): Buffer =>
  Buffer.concat([bytes, Buffer.alloc((alignment - (bytes.length % alignment)) % alignment)]);
