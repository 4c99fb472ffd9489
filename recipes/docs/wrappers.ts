/** What goes around a method: no registry can make one without it. */
import { everySteps, merged, packed } from "../../src/index.ts";

export const wrappers = { packed, merged, everysteps: everySteps } as const;
