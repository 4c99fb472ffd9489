/** What `bun run compare` measured, as it is committed: one row for each method, budget and task. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { z } from "zod";

const row = z.object({
  method: z.string(),
  /** Entries per KV head; "all" for full attention. */
  budget: z.string(),
  /** With the length: "needle 500". */
  task: z.string(),
  n: z.int(),
  mean: z.number(),
  low: z.number(),
  high: z.number(),
});
const file = z.object({
  date: z.string(),
  command: z.string(),
  provenance: z.looseObject({ model: z.string(), weights: z.string(), engine: z.string(), precision: z.string() }),
  rows: z.array(row),
});

export type MeasuredRow = z.output<typeof row>;
export type MeasuredFile = z.output<typeof file>;

export const MEASURED = fileURLToPath(new URL("../../docs/measured.json", import.meta.url));

/** @throws what zod says of a file that is no such file */
export const readMeasured = (): MeasuredFile => file.parse(JSON.parse(readFileSync(MEASURED, "utf8")));

/** Distinct values in their order. */
export const distinct = (values: readonly string[]): readonly string[] => [...new Set(values)];

/** A mean with its interval, in hundredths. */
export const figure = ({ mean, low, high }: MeasuredRow): string =>
  `${mean.toFixed(2)} (${low.toFixed(2)}-${high.toFixed(2)})`;

/** One line that says how figures came about. */
export function provenanceLine({ date, command, provenance }: MeasuredFile): string {
  const { model, engine, precision, weights } = provenance;
  return `Measured ${date} by \`${command}\` on ${model}, ${engine}, ${precision}; weights ${weights.slice(0, 19)}.`;
}
