/** Which rows of a run attend to which compact entries: sequences that share these are read together. */
import type { CompactAttention } from "../../../kernels/compact-attention/index.ts";
import type { GpuTensor } from "../../../kernels/gpu/arrays.ts";
import type { CompactOnDevice } from "./compact-store.ts";
import type { Row } from "./lists.ts";
import type { Scratch } from "./scratch.ts";

/** What a layer's attention over pages and over compact entries have in common. */
type Common = Pick<CompactAttention<GpuTensor>, "queries" | "slidingWindow">;

/** What rows attend to beyond pages, layer by layer. */
export type CompactOf = (layer: number, common: Common) => readonly CompactAttention<GpuTensor>[];

export function compactRows(scratch: Scratch, rows: readonly Row[]): CompactOf {
  const byEntries = new Map<CompactOnDevice, number[]>();
  for (const [row, { sequence, position }] of rows.entries()) {
    if (sequence.compact === null) continue;
    const own = byEntries.get(sequence.compact) ?? [];
    own.push(row, position);
    byEntries.set(sequence.compact, own);
  }
  const groups = Array.from(byEntries, ([entries, own], i) => {
    const numbers = scratch.numbers(`rows of compact entries ${i}`, Uint32Array.from(own));
    return { entries, rows: { ...numbers, dims: [own.length / 2, 2] } };
  });
  return (layer, common) =>
    groups
      .map(({ entries, rows }) => ({ ...common, blocks: entries.blocks, layer, rows, longest: entries.longest(layer) }))
      .filter(({ longest }) => longest > 0);
}
