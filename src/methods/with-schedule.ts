import type { Schedule } from "../allocation/schedule.ts";
import { allNeeds } from "../scoring/needs.ts";
import type { Method } from "./method.ts";

/**
 * A method on another schedule: `withSchedule(snapKV({ budget: 64 }), layerShares([3, 2, 1]), "snapkv 3:2:1")`. What it always keeps,
 * its score and its budget stay.
 *
 * @param name what errors and records call it
 */
export const withSchedule = (method: Method, allocate: Schedule, name: string): Method => ({
  ...method,
  name,
  allocate,
  needs: allNeeds([method.score?.needs ?? {}, allocate.needs ?? {}]),
  exact: true,
  namesHeads: method.score?.namesHeads === true || allocate.namesHeads === true,
});
