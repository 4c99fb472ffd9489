import { type Schedule, sameForHeads } from "./schedule.ts";

/** Every layer and head keeps the same number of entries. */
export const uniform =
  (): Schedule =>
  ({ layers, kvHeads, mean, limit }) =>
    sameForHeads(
      Array.from({ length: layers }, () => Math.min(mean, limit)),
      kvHeads,
    );
