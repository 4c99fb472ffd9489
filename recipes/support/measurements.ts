/** What can be measured of a model: a line for each, and how. */
import {
  type Measured,
  type MeasureOptions,
  type Model,
  measureFilters,
  measureQueryStatistics,
} from "../../src/index.ts";

type Measurement = (model: Model, sequences: readonly Int32Array[], options: MeasureOptions) => Promise<Measured>;

export const measurements: Readonly<Record<string, Measurement>> = {
  filters: measureFilters,
  "query-statistics": measureQueryStatistics,
};
