import type { Model } from "../../src/index.ts";

/** What can be measured once on a model, for the methods that need it. */
export interface Measurement {
  /** What is measured and for whom, for --help. */
  readonly explained: string;
  /** Of its file. */
  readonly extension: string;
  /** Measures, writes the file, and returns one line that says what was found. */
  measure(model: Model, settings: Settings, out: string): Promise<string>;
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
