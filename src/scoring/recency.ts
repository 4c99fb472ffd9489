import type { Score } from "./score.ts";

/** Late tokens first: each candidate's position. What a streaming head goes by. */
export const recency = (): Score => ({
  needs: {},
  async evaluate({ kvHeads, length, positions, candidates: { from, to } }) {
    const columns = to - from;
    const at = (i: number) => Math.floor(i / columns) * length + from + (i % columns);
    const data = Float32Array.from({ length: kvHeads * columns }, (_, i) => positions[at(i)] ?? 0);
    return { data, dims: [kvHeads, columns] };
  },
});
