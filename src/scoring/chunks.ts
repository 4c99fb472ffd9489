import { KvError } from "../error.ts";
import { type Step, step } from "./score.ts";

/**
 * Gives every candidate the mean score of its chunk of `size` neighbours, so that whole phrases stay or go; the budget may cut the last
 * chunk that stays, at its end. [r, m] -> [r, m]
 *
 * @param size in tokens; the last chunk may be shorter
 * @throws KvError `invalid_option` for a size that is no positive integer
 * @see https://arxiv.org/abs/2502.00299 ChunkKV
 */
export function chunks(size: number): Step {
  if (!Number.isSafeInteger(size) || size < 1)
    throw new KvError({ code: "invalid_option", path: ["chunks", "size"], found: size, allowed: "a positive integer" });
  return step(`chunks(${size})`, async ({ data, dims }) => {
    const columns = dims[1] ?? 0;
    const means = new Float32Array(data.length);
    for (let start = 0; start < data.length; start += columns)
      for (let from = start; from < start + columns; from += size) {
        const end = Math.min(from + size, start + columns);
        let sum = 0;
        for (let i = from; i < end; i++) sum += data[i] ?? 0;
        means.fill(sum / (end - from), from, end);
      }
    return { data: means, dims };
  });
}
