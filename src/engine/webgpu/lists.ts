/** What the rows of a run attend to, as the device reads it: of every layer, row and KV head where its pages are listed, and how many entries they hold. */
import type { GpuTensor } from "../../../kernels/gpu/arrays.ts";
import type { HeadPages } from "./head-pages.ts";
import type { PageStore } from "./page-store.ts";
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

export function pageLists(scratch: Scratch, store: PageStore, rows: readonly Row[]): PageLists {
  const { layers, kvHeads } = store.geometry;
  const lists = new Uint32Array(layers * rows.length * kvHeads * 4);
  const longest = new Array<number>(layers).fill(0);
  let at = 0;
  for (let layer = 0; layer < layers; layer++)
    for (const { sequence, added } of rows) {
      const [kept, after] = [ofLayer(sequence.kept, layer), ofLayer(sequence.added, layer)];
      const [first, next] = [store.begins(kept), store.begins(after)];
      for (let head = 0; head < kvHeads; head++) {
        const count = kept.counts[head] ?? 0;
        lists[at++] = first[head] ?? 0;
        lists[at++] = count;
        lists[at++] = next[head] ?? 0;
        lists[at++] = added;
        longest[layer] = Math.max(longest[layer] ?? 0, count + added);
      }
    }
  return {
    table: store.table.array, // once all lists are in it: it may have grown
    lists: scratch.numbers("page lists", lists),
    rowPositions: scratch.numbers(
      "row positions",
      Uint32Array.from(rows, ({ position }) => position),
    ),
    first: (layer) => layer * rows.length * kvHeads,
    longest: (layer) => longest[layer] ?? 0,
  };
}

function ofLayer(layers: readonly HeadPages[], layer: number): HeadPages {
  const heads = layers[layer];
  if (heads === undefined) throw new RangeError(`no layer ${layer}`);
  return heads;
}
