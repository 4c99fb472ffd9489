/** How intervals are computed, and the checks that statistics share. */
import { z } from "zod";
import { checked, invalid } from "../../options.ts";
import type { Result } from "../result.ts";
import type { Resampling } from "./bootstrap.ts";

export interface ResamplingOptions {
  /** Share of samples whose interval should hold the true mean; default 0.95. */
  readonly confidence?: number;
  /** Samples drawn from the sample, and from the sign flips; default 2000. */
  readonly resamples?: number;
  /** Equal seeds give equal intervals; default 0. */
  readonly seed?: number;
}

const between = "a number between 0 and 1, both excluded";
const many = "an integer from 100 to 1000000";

export const resamplingShape = z.object({
  confidence: z.number(between).gt(0, between).lt(1, between).default(0.95),
  resamples: z.int(many).min(100, many).max(1_000_000, many).default(2000),
  seed: z.int("an integer").default(0),
});

/** @throws KvError `invalid_option` */
export const resamplingOf = (owner: string, options: ResamplingOptions): Resampling =>
  checked(resamplingShape, options, owner);

/** Intervals stand on the bounds of scores. @throws KvError `invalid_option` for a score outside of 0 to 1 */
export function scoreOf({ key, score }: Result, owner: string): number {
  if (score >= 0 && score <= 1) return score;
  throw invalid([owner, "results", key, "score"], score, "a number from 0 to 1");
}
