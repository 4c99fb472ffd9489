import { step } from "./score.ts";

/** Below it, attention is as good as none; 0 has no logarithm. */
const LEAST = 1e-6;

/** The natural logarithm of each score, so that a sum with others is as of products; of scores >= 0. [r, m] -> [r, m] */
export const logarithm = step("logarithm", async ({ data, dims }) => ({
  data: data.map((score) => Math.log(score + LEAST)),
  dims,
}));
