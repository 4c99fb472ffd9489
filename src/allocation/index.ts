/** How a budget is split over layers and KV heads. See `schedule.ts` for what a schedule promises. */
export { type AdaptiveHeadsOptions, adaptiveHeads } from "./adaptive-heads.ts";
export { pyramid } from "./pyramid.ts";
export type { Counts, FixedSchedule, Schedule, ScheduleRequest, ScheduleSizes } from "./schedule.ts";
export { uniform } from "./uniform.ts";
