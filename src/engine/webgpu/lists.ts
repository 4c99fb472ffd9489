/** Which pages the rows of a run attend to, as the device reads them: one table and one array of lists for all layers. */
import type { GpuTensor } from "../../../kernels/gpu/arrays.ts";
import type { HeadPages } from "./page-store.ts";
import type { PagedEntries } from "./paged-entries.ts";
import type { Scratch } from "./scratch.ts";

/** A row of a run: one token of a sequence, which sees what was kept and this many of what came after, its own entry among them. */
export interface Row {
  readonly sequence: Pick<PagedEntries, "kept" | "added" | "compact">;
  readonly added: number;
  readonly position: number;
}

export interface PageLists {
  readonly table: GpuTensor;
  /** [L, R, KH, 4] */
  readonly lists: GpuTensor;
  readonly rowPositions: GpuTensor;
  /** Where a layer's lists begin. */
  first(layer: number): number;
  /** The most entries that any KV head of a layer has. */
  longest(layer: number): number;
}

export function pageLists(scratch: Scratch, layers: number, kvHeads: number, rows: readonly Row[]): PageLists {
  const table: number[] = [];
  const lists = new Uint32Array(layers * rows.length * kvHeads * 4);
  const longest = new Array<number>(layers).fill(0);
  const begins = new Map<readonly number[], number>(); // rows of one sequence share their pages
  const beginOf = (pages: readonly number[]): number => {
    const known = begins.get(pages);
    if (known !== undefined) return known;
    const begin = table.length;
    for (const page of pages) table.push(page);
    begins.set(pages, begin);
    return begin;
  };
  let at = 0;
  for (let layer = 0; layer < layers; layer++)
    for (const { sequence, added } of rows) {
      const [kept, after] = [sequence.kept[layer], sequence.added[layer]];
      for (let head = 0; head < kvHeads; head++) {
        const count = kept?.counts[head] ?? 0;
        lists.set([beginOf(pagesOf(kept, head)), count, beginOf(pagesOf(after, head)), added], at);
        longest[layer] = Math.max(longest[layer] ?? 0, count + added);
        at += 4;
      }
    }
  return {
    table: scratch.numbers("page table", Uint32Array.from(table)),
    lists: scratch.numbers("page lists", lists),
    rowPositions: scratch.numbers(
      "row positions",
      Uint32Array.from(rows, ({ position }) => position),
    ),
    first: (layer) => layer * rows.length * kvHeads,
    longest: (layer) => longest[layer] ?? 0,
  };
}

const NONE: readonly number[] = [];
const pagesOf = (heads: HeadPages | undefined, head: number): readonly number[] => heads?.pages[head] ?? NONE;
