import { type FixedSchedule, sameForHeads } from "./schedule.ts";

/** Every layer and head keeps the same number of entries. */
export const uniform =
  (): FixedSchedule =>
  ({ layers, kvHeads, mean, limit }) =>
    sameForHeads(
      Array.from({ length: layers }, () => Math.min(mean, limit)),
      kvHeads,
    );
