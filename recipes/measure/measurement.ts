import type { Measured, MeasureOptions, Model } from "../../src/index.ts";

/** What can be measured once on a model, for the methods that need it. */
export interface Measurement {
  /** What is measured and for whom, for --help. */
  readonly explained: string;
  measure(model: Model, settings: Settings, options: MeasureOptions): Promise<Taken>;
}

export interface Taken {
  readonly measured: Measured;
  /** What was found, in a line for people. */
  readonly found?: string;
}

export interface Settings {
  /** A text; default: parts of Moby-Dick. */
  readonly corpus: string | undefined;
  /** Sequences of the corpus, of so many tokens each. */
  readonly sequences: number;
  readonly length: number;
  /** Generated prompts. */
  readonly prompts: number;
}
