import type { Weights } from "./weights.ts";

/** The same weights with one added to some tensors, for files that store a scale as its difference from one. */
export const plusOne = (weights: Weights, chosen: (name: string) => boolean): Weights => ({
  ...weights,
  read(name, into) {
    const values = weights.read(name, into);
    if (chosen(name)) for (let i = 0; i < values.length; i++) values[i] = (values[i] ?? 0) + 1;
    return values;
  },
  readRows: (name, rows) =>
    chosen(name) ? weights.readRows(name, rows).map((value) => value + 1) : weights.readRows(name, rows),
  split: (parts) => plusOne(weights.split(parts), chosen),
});
