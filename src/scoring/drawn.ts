import { step } from "./score.ts";

/**
 * Scores with chance: the k highest of a row are k draws without replacement with probabilities softmax(scores), by Gumbel noise that
 * is added to them. The draws of a layer, head and position are always the same for a seed. A score with this step tells heads apart
 * by number (`namesHeads`). [KH, m] -> [KH, m]
 *
 * @param seed an integer
 * @see https://arxiv.org/abs/1903.06059 Gumbel-top-k
 */
export const drawn = (seed: number) =>
  step(`drawn(${seed})`, async ({ data, dims }, { layer, positions, length, candidates: { from, to } }) => {
    const columns = to - from;
    const noisy = data.map((score, i) => {
      const [head, column] = [Math.floor(i / columns), i % columns];
      const uniform = share(seed, layer, head, positions[head * length + from + column] ?? 0);
      return score - Math.log(-Math.log(uniform));
    });
    return { data: noisy, dims };
  });

/** A number above 0 and below 1 that follows from some integers and looks like chance: MurmurHash3's mixing. */
function share(...from: readonly number[]): number {
  let state = 0;
  for (const integer of from) {
    state = Math.imul(state ^ (integer + 0x9e3779b9), 0x85ebca6b);
    state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35);
    state ^= state >>> 16;
  }
  return ((state >>> 0) + 0.5) / 2 ** 32;
}
