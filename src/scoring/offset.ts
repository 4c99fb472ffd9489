import { type Step, step } from "./score.ts";

/** Adds to every score, so that none is 0 before a product; ranks stay as they are. */
export const offset = (amount: number): Step =>
  step(`offset(${amount})`, async ({ data, dims }) => ({ data: data.map((score) => score + amount), dims }));
