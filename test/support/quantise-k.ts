/** fp32 to GGUF's K-quants, plainly: each group's scale from its extremes, rounded to the nearest. */

import type { KQuantType } from "../../src/model/weights/weights.ts";

/** The bits of a half, and the value that they have. */
export type ToHalf = (value: number) => { readonly bytes: Buffer; readonly value: number };

/** @param values a multiple of 256 of them */
export function quantiseK(type: KQuantType, values: readonly number[], half: ToHalf): Buffer {
  const count = Math.ceil(values.length / 256);
  return Buffer.concat(
    Array.from({ length: count }, (_, i) => superBlocks[type](values.slice(256 * i, 256 * (i + 1)), half)),
  );
}

const superBlocks: Readonly<Record<KQuantType, (values: readonly number[], half: ToHalf) => Buffer>> = {
  Q2_K(values, half) {
    const { d, m, s, t, q } = withMinima(values, { bits: 2, group: 16, most: 15, half });
    const both = Buffer.from(s.map((of, g) => of | ((t[g] ?? 0) << 4)));
    return Buffer.concat([both, pack(q, 32, 2), d, m]);
  },
  Q3_K(values, half) {
    const { d, s, q } = symmetric(values, { bits: 3, most: 31, half });
    const codes = s.map((of) => of + 32);
    const low = Array.from({ length: 8 }, (_, g) => ((codes[g] ?? 0) & 15) | (((codes[g + 8] ?? 0) & 15) << 4));
    const high = Array.from({ length: 4 }, (_, g) =>
      [0, 1, 2, 3].reduce((byte, i) => byte | (((codes[g + 4 * i] ?? 0) >> 4) << (2 * i)), 0),
    );
    const highest = pack(
      q.map((of) => of >> 2),
      32,
      1,
    );
    return Buffer.concat([highest, pack(q, 32, 2), Buffer.from([...low, ...high]), d]);
  },
  Q4_K(values, half) {
    const { d, m, s, t, q } = withMinima(values, { bits: 4, group: 32, most: 63, half });
    return Buffer.concat([d, m, sixBits(s, t), pack(q, 32, 4)]);
  },
  Q5_K(values, half) {
    const { d, m, s, t, q } = withMinima(values, { bits: 5, group: 32, most: 63, half });
    const highest = pack(
      q.map((of) => of >> 4),
      32,
      1,
    );
    return Buffer.concat([d, m, sixBits(s, t), highest, pack(q, 32, 4)]);
  },
  Q6_K(values, half) {
    const { d, s, q } = symmetric(values, { bits: 6, most: 127, half });
    const highest = pack(
      q.map((of) => of >> 4),
      32,
      2,
    );
    return Buffer.concat([pack(q, 64, 4), highest, Buffer.from(Int8Array.from(s).buffer), d]);
  },
};

interface Kind {
  readonly bits: number;
  /** The largest whole number that a scale can be. */
  readonly most: number;
  readonly half: ToHalf;
}

/** q (d s) - m t, with q from 0 on. */
function withMinima(values: readonly number[], { bits, group, most, half }: Kind & { readonly group: number }) {
  const groups = Array.from({ length: 256 / group }, (_, g) => values.slice(g * group, (g + 1) * group));
  const lows = groups.map((of) => -Math.min(0, ...of));
  const steps = groups.map((of, g) => (Math.max(...of) + (lows[g] ?? 0)) / (2 ** bits - 1));
  const [d, m] = [half(Math.max(...steps) / most), half(Math.max(...lows) / most)];
  const [s, t] = [steps.map((step) => bounded(step / d.value, most)), lows.map((low) => bounded(low / m.value, most))];
  const q = values.map((value, i) => {
    const g = Math.floor(i / group);
    return bounded((value + m.value * (t[g] ?? 0)) / (d.value * (s[g] ?? 0)), 2 ** bits - 1);
  });
  return { d: d.bytes, m: m.bytes, s, t, q };
}

/** q (d s), groups of 16; q plus half of its range. */
function symmetric(values: readonly number[], { bits, most, half }: Kind) {
  const middle = 2 ** (bits - 1);
  const groups = Array.from({ length: 16 }, (_, g) => values.slice(g * 16, (g + 1) * 16));
  const steps = groups.map((of) => Math.max(...of.map(Math.abs)) / (middle - 1));
  const d = half(Math.max(...steps) / most);
  const s = steps.map((step) => bounded(step / d.value, most));
  const q = values.map((value, i) => {
    const step = d.value * (s[Math.floor(i / 16)] ?? 0);
    return bounded(value / step + middle, 2 * middle - 1);
  });
  return { d: d.bytes, s, q };
}

/** To the nearest; what a division by nothing gives is 0. */
const bounded = (x: number, high: number): number => (x > 0 ? Math.min(high, Math.round(x)) : 0);

/** The lowest `bits` of every number: of 256 / (8 / bits) bytes, `width` together hold the first numbers, then the next. */
function pack(q: readonly number[], width: number, bits: number): Buffer {
  const bytes = Buffer.alloc((256 * bits) / 8);
  const perGroup = (width * 8) / bits;
  for (const [element, of] of q.entries()) {
    const [group, inGroup] = [Math.floor(element / perGroup), element % perGroup];
    const at = group * width + (inGroup % width);
    bytes[at] = (bytes[at] ?? 0) | ((of & (2 ** bits - 1)) << (Math.floor(inGroup / width) * bits));
  }
  return bytes;
}

function sixBits(s: readonly number[], t: readonly number[]): Buffer {
  const first = (of: readonly number[]) => [0, 1, 2, 3].map((g) => (of[g] ?? 0) | (((of[g + 4] ?? 0) >> 4) << 6));
  const rest = [4, 5, 6, 7].map((g) => ((s[g] ?? 0) & 15) | (((t[g] ?? 0) & 15) << 4));
  return Buffer.from([...first(s), ...first(t), ...rest]);
}
