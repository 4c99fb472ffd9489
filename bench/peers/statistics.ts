import { QUIET } from "./load.ts";
import type { Sample } from "./worker.ts";

export interface Summary {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export function summary(numbers: readonly number[]): Summary {
  const sorted = [...numbers].sort((a, b) => a - b);
  const at = (i: number) => sorted[i] ?? Number.NaN;
  const half = (sorted.length - 1) / 2;
  return { median: (at(Math.floor(half)) + at(Math.ceil(half))) / 2, min: at(0), max: at(sorted.length - 1) };
}

export const median = (numbers: readonly number[]): number => summary(numbers).median;

/** The samples taken while others were quiet, or all if none was. */
export function undisturbed(samples: readonly Sample[]): readonly Sample[] {
  const good = samples.filter(({ others }) => !(others > QUIET));
  return good.length > 0 ? good : samples;
}

export const wall = (samples: readonly Sample[]): number[] => undisturbed(samples).map(({ seconds }) => seconds);
export const cpu = (samples: readonly Sample[]): number[] => undisturbed(samples).map((sample) => sample.cpu);
export const othersShare = (samples: readonly Sample[]): number =>
  median(undisturbed(samples).map((sample) => sample.others));
/** One part of each sample, which the worker must have given. */
export const part = (samples: readonly Sample[], name: string): number[] =>
  undisturbed(samples).map(({ parts }) => parts[name] ?? Number.NaN);
