/** Pooling over neighbouring positions, so that a token is kept with its surroundings. @see https://arxiv.org/abs/2404.14469 */
import { KvError } from "../error.ts";
import { type Step, step } from "./score.ts";

/** Sliding maximum, cut at the ends. @param size odd, in tokens @throws KvError `invalid_option` for another size */
export function maxPool(size: number): Step {
  checkSize("maxPool", size);
  return step(`maxPool(${size})`, (scores, { kernels }) => kernels.maxPool(scores, size));
}

/** Sliding mean, zeros beyond the ends. @param size odd, in tokens @throws KvError `invalid_option` for another size */
export function avgPool(size: number): Step {
  checkSize("avgPool", size);
  return step(`avgPool(${size})`, (scores, { kernels }) => kernels.avgPool(scores, size));
}

function checkSize(name: string, size: number): void {
  if (Number.isInteger(size) && size > 0 && size % 2 === 1) return;
  throw new KvError({ code: "invalid_option", path: [name, "size"], found: size, allowed: "a positive odd integer" });
}
