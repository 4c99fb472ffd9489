/** The benchmarks work: their code paths at tiny sizes, so that a change which breaks one is seen before anything is measured. */
import { describe, test } from "bun:test";
import { smokes } from "../../bench/smoke.ts";

/** Seconds where nothing else runs; processes of their own wait long where much does. */
const PATIENCE = 300_000;

describe("at tiny sizes:", () => {
  for (const [name, smoke] of Object.entries(smokes)) test(name, smoke, PATIENCE);
});
