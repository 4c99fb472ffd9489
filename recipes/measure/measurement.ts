import type { Model } from "../../src/index.ts";

/** What can be measured once on a model, for the methods that need it. */
export interface Measurement {
  /** What is measured and for whom, for --help. */
  readonly explained: string;
  /** Measures on `count` prompts, writes the file, and returns one line that says what was found. */
  measure(model: Model, count: number, out: string): Promise<string>;
}
