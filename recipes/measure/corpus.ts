/** What is measured on a text: Q-Filters' filters, ExpectedAttention's query statistics, LU-KV's curves. */
import {
  type MeasureOptions,
  type Model,
  measureCurves,
  measureFilters,
  measureQueryStatistics,
  snapKV,
} from "../../src/index.ts";
import { corpus } from "../support/corpus.ts";
import type { Measurement, Taken } from "./measurement.ts";

type Measure = (model: Model, sequences: readonly Int32Array[], options: MeasureOptions) => Promise<Taken>;

const onCorpus = (explained: string, measure: Measure): Measurement => ({
  explained,
  async measure(model, { corpus: path, sequences, length }, options) {
    const settings = { text: path ?? "Moby-Dick" };
    return measure(model, await corpus(model, path, sequences, length), { ...options, settings });
  },
});

export const filters = onCorpus(
  "the direction of each head's queries, for qFilters (measured/qfilters)",
  async (...given) => ({
    measured: await measureFilters(...given),
  }),
);
export const queryStatistics = onCorpus(
  "mean and covariance of queries, for expectedAttention (measured/expectedattention)",
  async (...given) => ({
    measured: await measureQueryStatistics(...given),
  }),
);
export const curves = onCorpus(
  "what each KV head should keep for a budget, under SnapKV's scores, for luKV",
  async (model, texts, options) => {
    const measured = await measureCurves(model, texts, { ...options, method: snapKV({ budget: 64 }) });
    const half = measured.tables[(measured.tables.length - 1) / 2]?.flat() ?? [];
    const found = `at half the cache heads keep ${Math.min(...half).toFixed(2)} to ${Math.max(...half).toFixed(2)}`;
    return { measured, found };
  },
);
