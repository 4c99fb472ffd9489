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

export const range = (count: number): readonly number[] => Array.from({ length: count }, (_, i) => i);

/** The slots of all entries, head after head. */
export const slotsOf = (heads: HeadPages): Uint32Array<ArrayBuffer> =>
  Uint32Array.from(heads.counts.flatMap((count, head) => range(count).map((i) => slotAt(heads, head, i))));

/** The slot of a head's i-th entry. */
export const slotAt = ({ pages }: HeadPages, head: number, i: number): number =>
  (pages[head]?.[Math.floor(i / PAGE)] ?? 0) * PAGE + (i % PAGE);
