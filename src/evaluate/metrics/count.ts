import { bestOf } from "./metric.ts";
import { shareOfNumbers } from "./numbers.ts";

/** LongBench's score of a count: the share of the answer's numbers that are the reference. */
export const count = bestOf(shareOfNumbers);
