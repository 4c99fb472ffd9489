/** What is measured on a corpus: Q-Filters' filters, ExpectedAttention's query statistics. */
import {
  type Measured,
  type MeasureOptions,
  type Model,
  measureFilters,
  measureQueryStatistics,
  saveMeasured,
} from "../../src/index.ts";
import { corpus } from "../support/corpus.ts";
import { progressBar } from "../support/progress-bar.ts";
import type { Measurement } from "./measurement.ts";

type Measure = (model: Model, sequences: readonly Int32Array[], options: MeasureOptions) => Promise<Measured>;

const onCorpus = (explained: string, measure: Measure): Measurement => ({
  explained,
  extension: "safetensors",
  async measure(model, settings, out) {
    const sequences = await corpus(model, settings.corpus, settings.sequences, settings.length);
    using bar = progressBar(sequences.reduce((sum, tokens) => sum + tokens.length, 0));
    const result = await measure(model, sequences, { onProgress: (done) => bar.show(done, "tokens") });
    await saveMeasured(out, result);
    return `${result.label} of ${result.provenance.tokens} tokens`;
  },
});

export const filters = onCorpus("the direction of each head's queries, for qFilters", measureFilters);
export const queryStatistics = onCorpus(
  "mean and covariance of queries, for expectedAttention",
  measureQueryStatistics,
);
