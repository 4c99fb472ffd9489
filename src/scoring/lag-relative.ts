import type { Score } from "./score.ts";

/**
 * LagKV: candidates are cut into partitions of `lag`; within each, entries are ranked by how much their channels differ from each other
 * once the next partition's range has been taken for the unit, keys and values alike. Ranks are scaled to [0, 1), so partitions lose equal
 * shares. The last partition, which has no next one, and what is left over rank above all, later ones first.
 *
 * @param lag entries in a partition, >= 2
 * @see https://arxiv.org/abs/2504.04704
 */
export const lagRelative = (lag: number): Score => ({
  needs: {},
  async evaluate({ kvHeads, kernels, candidates: { from, to }, ...stored }) {
    const [keys, values] = [await kernels.read(stored.keys), await kernels.read(stored.values)];
    const [, length = 0, size = 0] = keys.dims;
    const columns = to - from;
    const judged = Math.max(0, Math.floor(columns / lag) - 1) * lag;
    const scores = new Float32Array(kvHeads * columns);
    for (let head = 0; head < kvHeads; head++) {
      const part = ({ data }: { data: Float32Array }, start: number) =>
        data.subarray((head * length + from + start) * size, (head * length + from + start + lag) * size);
      for (let start = 0; start < judged; start += lag) {
        const ofKeys = differences(part(keys, start), part(keys, start + lag), size);
        const ofValues = differences(part(values, start), part(values, start + lag), size);
        scores.set(scaledRanks(ofKeys.map((share, i) => share + (ofValues[i] ?? 0))), head * columns + start);
      }
      for (let i = judged; i < columns; i++) scores[head * columns + i] = 1 + i / columns;
    }
    return { data: scores, dims: [kvHeads, columns] };
  },
});

/** For each vector the spread of its channels, each in units of the reference's range; a softmax over the vectors. [lag, d] -> [lag] */
function differences(vectors: Float32Array, reference: Float32Array, size: number): Float64Array {
  const lowest = new Float64Array(size).fill(Number.POSITIVE_INFINITY);
  const highest = new Float64Array(size).fill(Number.NEGATIVE_INFINITY);
  for (let i = 0; i < reference.length; i++) {
    const c = i % size;
    lowest[c] = Math.min(lowest[c] ?? 0, reference[i] ?? 0);
    highest[c] = Math.max(highest[c] ?? 0, reference[i] ?? 0);
  }
  // A channel that is constant has no unit, and counts as 0.
  const units = highest.map((most, c) => (most > (lowest[c] ?? 0) ? 1 / (most - (lowest[c] ?? 0)) : 0));
  const scaled = new Float64Array(size);
  const spreads = Float64Array.from({ length: vectors.length / size }, (_, i) => {
    for (let c = 0; c < size; c++) scaled[c] = ((vectors[i * size + c] ?? 0) - (lowest[c] ?? 0)) * (units[c] ?? 0);
    return deviation(scaled);
  });
  const top = spreads.reduce((most, spread) => Math.max(most, spread), 0);
  const parts = spreads.map((spread) => Math.exp(spread - top));
  const total = parts.reduce((sum, part) => sum + part, 0);
  return parts.map((part) => part / total);
}

function deviation(values: Float64Array): number {
  let [sum, squares] = [0, 0];
  for (const value of values) sum += value;
  for (const value of values) squares += (value - sum / values.length) ** 2;
  return Math.sqrt(squares / Math.max(1, values.length - 1));
}

/** 0 for the lowest up to (n - 1) / n; of equal ones the first ranks higher. */
function scaledRanks(values: Float64Array): Float32Array {
  const order = Uint32Array.from(values.keys()).sort((a, b) => (values[a] ?? 0) - (values[b] ?? 0) || b - a);
  const ranks = new Float32Array(values.length);
  for (const [rank, i] of order.entries()) ranks[i] = rank / values.length;
  return ranks;
}
