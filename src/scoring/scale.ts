import { type Step, step } from "./score.ts";

/** Multiplies every score; ranks stay as they are. */
export const scale = (factor: number): Step =>
  step(`scale(${factor})`, async ({ data, dims }) => ({ data: data.map((score) => score * factor), dims }));
