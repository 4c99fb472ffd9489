/** The pages of one layer's heads, and where in them an entry is. */
import { PAGE } from "../../../kernels/paged-attention/index.ts";
import type { Tabled } from "./page-table.ts";

/** Each KV head's pages in one layer, and how many entries they hold: all full but the last. */
export interface HeadPages {
  readonly pages: number[][];
  readonly counts: number[];
  /** Where the table has them; null until a step asks, and again once they have changed. */
  tabled: Tabled | null;
}

/** The slots of all entries, head after head. */
export function slotsOf(heads: HeadPages): Uint32Array<ArrayBuffer> {
  const slots = new Uint32Array(heads.counts.reduce((sum, count) => sum + count, 0));
  let next = 0;
  for (const [head, count] of heads.counts.entries())
    for (let i = 0; i < count; i++) slots[next++] = slotAt(heads, head, i);
  return slots;
}

/** The slots of each head's last `count` entries, [KH, count]. */
export function lastSlots(heads: HeadPages, count: number): Uint32Array<ArrayBuffer> {
  const slots = new Uint32Array(heads.counts.length * count);
  for (const [head, held] of heads.counts.entries())
    for (let i = 0; i < count; i++) slots[head * count + i] = slotAt(heads, head, held - count + i);
  return slots;
}

/** The slot of a head's i-th entry. */
export const slotAt = ({ pages }: HeadPages, head: number, i: number): number =>
  (pages[head]?.[Math.floor(i / PAGE)] ?? 0) * PAGE + (i % PAGE);
