/** fp32 to each stored type, plainly: rounding to the nearest, one block after the other. */

import type { KQuantType, WeightType } from "../../src/model/weights/weights.ts";
import { quantiseK } from "./quantise-k.ts";

/** @param values a multiple of 32 of them for the quantised types, of 256 for K-quants */
export function quantise(type: WeightType, values: ArrayLike<number>): Buffer {
  if (type === "F32") return Buffer.from(Float32Array.from(values).buffer);
  if (type === "F16") return shorts(Array.from(values, halfBits));
  if (type === "BF16") return shorts(Array.from(values, brainBits));
  if (isK(type)) return quantiseK(type, Array.from(values), half);
  const quantiseBlock = blocks[type];
  const all = Array.from(values);
  const count = Math.ceil(all.length / 32);
  return Buffer.concat(Array.from({ length: count }, (_, i) => quantiseBlock(all.slice(i * 32, i * 32 + 32))));
}

const isK = (type: WeightType): type is KQuantType => type.endsWith("_K");
const half = (value: number) => ({ bytes: shorts([halfBits(value)]), value: halfOf(value) });

type Small = "Q8_0" | "Q4_0" | "Q4_1" | "Q5_0" | "Q5_1";
const blocks: Readonly<Record<Small, (block: readonly number[]) => Buffer>> = {
  Q8_0(block) {
    const d = halfOf(Math.max(...block.map(Math.abs)) / 127);
    return Buffer.concat([
      shorts([halfBits(d)]),
      Buffer.from(Int8Array.from(block, (x) => bounded(x / d, -127, 127)).buffer),
    ]);
  },
  Q4_0(block) {
    const d = halfOf(Math.max(...block.map(Math.abs)) / 7);
    return Buffer.concat([shorts([halfBits(d)]), nibbles(block.map((x) => bounded(x / d + 8, 0, 15)))]);
  },
  Q4_1(block) {
    const m = halfOf(Math.min(...block));
    const d = halfOf((Math.max(...block) - m) / 15);
    return Buffer.concat([shorts([halfBits(d), halfBits(m)]), nibbles(block.map((x) => bounded((x - m) / d, 0, 15)))]);
  },
  Q5_0(block) {
    const d = halfOf(Math.max(...block.map(Math.abs)) / 15);
    const q = block.map((x) => bounded(x / d + 16, 0, 31));
    return Buffer.concat([shorts([halfBits(d)]), fifthBits(q), nibbles(q.map((x) => x & 15))]);
  },
  Q5_1(block) {
    const m = halfOf(Math.min(...block));
    const d = halfOf((Math.max(...block) - m) / 31);
    const q = block.map((x) => bounded((x - m) / d, 0, 31));
    return Buffer.concat([shorts([halfBits(d), halfBits(m)]), fifthBits(q), nibbles(q.map((x) => x & 15))]);
  },
};

const bounded = (x: number, low: number, high: number): number => (x > low ? Math.min(high, Math.round(x)) : low);

const nibbles = (q: readonly number[]): Buffer =>
  Buffer.from(Array.from({ length: 16 }, (_, i) => (q[i] ?? 0) | ((q[i + 16] ?? 0) << 4)));

const fifthBits = (q: readonly number[]): Buffer =>
  Buffer.from(Uint32Array.of(q.reduce((bits, x, i) => bits | ((x >> 4) << i), 0)).buffer);

const shorts = (bits: readonly number[]): Buffer => Buffer.from(Uint16Array.from(bits).buffer);

const brainBits = (value: number): number => {
  const [bits = 0] = new Uint32Array(Float32Array.of(value).buffer);
  return (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
};

const halfOf = (value: number): number => new Float16Array([value])[0] ?? 0;
const halfBits = (value: number): number => new Uint16Array(new Float16Array([value]).buffer)[0] ?? 0;
