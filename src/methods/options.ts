/** Validation of a method's options. A schema's error message is the end of a sentence that begins "must be". */
import { z } from "zod";
import { parsed, refuseUnknown } from "../options.ts";
import type { Step } from "../scoring/score.ts";

/** An integer, at least `minimum`. */
export function count(minimum: number) {
  const error = `an integer >= ${minimum}`;
  return z.int({ error }).min(minimum, { error });
}

/** A real number above `bound`. */
export function above(bound: number) {
  const error = `a finite number > ${bound}`;
  return z.number({ error }).gt(bound, { error });
}

/** A step that pools: maxPool(size), avgPool(size) or one's own. */
export const pool = () => z.custom<Step>(isStep, { error: "a pooling step such as maxPool(7) or avgPool(5)" });

const isStep = (value: unknown): value is Step => typeof value === "function" && "label" in value;

/**
 * Checks options and fills in defaults.
 *
 * @param others options that are checked elsewhere, to be named among the known ones
 * @throws KvError `invalid_option` for the first option that is wrong, unknown ones among them
 */
export function parseOptions<Shape extends z.ZodRawShape>(
  name: string,
  shape: Shape,
  options: unknown,
  others: readonly string[] = [],
): z.output<z.ZodObject<Shape>> {
  refuseUnknown(options, [...others, ...Object.keys(shape)], name);
  return parsed(z.object(shape), options, name);
}

/** Options as plain data: a step becomes its label. */
export const recorded = (options: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(options).map(([key, value]) => [key, isStep(value) ? value.label : value]));
