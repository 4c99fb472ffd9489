/** How a budget is split over layers and KV heads. See `schedule.ts` for what a schedule promises. */
export { pyramid } from "./pyramid.ts";
export type { Schedule, ScheduleRequest } from "./schedule.ts";
export { uniform } from "./uniform.ts";
