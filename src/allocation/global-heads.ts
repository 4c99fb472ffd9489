import type { Schedule } from "./schedule.ts";

/**
 * Heads of all layers share one budget: as many entries of each as are among the highest scores of them all. Of equal scores the lower
 * layer comes first, then the lower head and position. It holds the scores of all layers at once.
 *
 * @see https://arxiv.org/abs/2505.23416 KVzip
 */
export const globalHeads = (): Schedule => async (request) => {
  const { layers, kvHeads, mean, limit } = request;
  const row = kvHeads * limit;
  const all = new Float32Array(layers * row);
  for (let layer = 0; layer < layers; layer++) all.set((await request.scores(layer)).data, layer * row);
  const total = Math.min(mean, limit) * layers * kvHeads;
  const counts = Array.from({ length: layers }, () => Array.from({ length: kvHeads }, () => 0));
  if (total === 0) return counts;
  const lowest = all.toSorted()[all.length - total] ?? Number.NEGATIVE_INFINITY;
  let ties = total - all.reduce((above, score) => (score > lowest ? above + 1 : above), 0);
  for (const [i, score] of all.entries()) {
    if (score < lowest || (score === lowest && ties-- <= 0)) continue;
    const heads = counts[Math.floor(i / row)] ?? [];
    const head = Math.floor((i % row) / limit);
    heads[head] = (heads[head] ?? 0) + 1;
  }
  return counts;
};
