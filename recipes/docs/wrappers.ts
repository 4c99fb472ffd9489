/** What goes around a method: no registry can make one without it. */
import { everySteps, merged, miniCache, packed, quantised, thinK } from "../../src/index.ts";

export const wrappers = {
  packed,
  merged,
  quantised,
  think: thinK,
  minicache: miniCache,
  everysteps: everySteps,
} as const;
