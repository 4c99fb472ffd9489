import { uniformAt } from "./draw.ts";
import type { Score } from "./score.ts";

/**
 * A random number in [0, 1) for each layer, KV head and position, and for nothing else: the same whatever the prompt.
 *
 * @param seed a safe integer
 */
export const randomDraws = (seed: number): Score => ({
  needs: {},
  namesHeads: true,
  async evaluate({ layer, kvHeads, length, positions, candidates: { from, to } }) {
    const columns = to - from;
    const draws = Float32Array.from({ length: kvHeads * columns }, (_, i) => {
      const head = Math.floor(i / columns);
      return uniformAt(seed, layer, head, positions[head * length + from + (i % columns)] ?? 0);
    });
    return { data: draws, dims: [kvHeads, columns] };
  },
});
