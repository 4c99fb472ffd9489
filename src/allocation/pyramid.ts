import { KvError } from "../error.ts";
import { roundToTotal } from "./round.ts";
import { type FixedSchedule, sameForHeads } from "./schedule.ts";

export interface PyramidOptions {
  /** Steepness, > 1: the top layer keeps mean / beta scored entries. */
  readonly beta?: number;
}

/**
 * PyramidKV's schedule: a linear ramp over layers, wide at the bottom, narrow at the top.
 *
 * The lowest layer keeps `2 mean - mean / beta` scored entries per KV head and the highest `mean / beta`; integers come from
 * largest-remainder rounding, so the total is exact. A ramp that would exceed the prompt is tilted flatter about its mean.
 *
 * @param options.beta steepness, > 1; the paper uses 20
 * @throws KvError `invalid_option` for another beta
 * @see https://arxiv.org/abs/2406.02069 section 4
 */
export function pyramid({ beta = 20 }: PyramidOptions = {}): FixedSchedule {
  if (!(beta > 1))
    throw new KvError({ code: "invalid_option", path: ["pyramid", "beta"], found: beta, allowed: "> 1" });
  return ({ layers, kvHeads, mean, limit }) => {
    const base = Math.min(mean, limit);
    const high = Math.min(2 * base - base / beta, limit);
    const ramp = linspace(high, 2 * base - high, layers);
    return sameForHeads(roundToTotal(ramp, base * layers, limit), kvHeads);
  };
}

/** `count` numbers from `first` to `last`, evenly spaced; a single one lies in the middle. */
function linspace(first: number, last: number, count: number): readonly number[] {
  if (count === 1) return [(first + last) / 2];
  return Array.from({ length: count }, (_, i) => first - ((first - last) * i) / (count - 1));
}
