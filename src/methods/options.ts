/** Validation of a method's options. A schema's error message is the end of a sentence that begins "must be". */
import { z } from "zod";
import type { BudgetCurves } from "../allocation/budget-curves.ts";
import type { HeadScores } from "../allocation/head-scores.ts";
import { KvError } from "../error.ts";
import { invalid, parsed, refuseUnknown } from "../options.ts";
import { isMeasured, type Measured } from "../scoring/measured.ts";
import type { Step } from "../scoring/score.ts";

/** An integer, at least `minimum`. */
export function count(minimum: number) {
  const error = `an integer >= ${minimum}`;
  return z.int({ error }).min(minimum, { error });
}

/** Any integer. */
export const integer = () => z.int({ error: "an integer" });

/** Text, also none. */
export const text = () => z.string({ error: "a string" });

/** A real number above `bound`. */
export function above(bound: number) {
  const error = `a finite number > ${bound}`;
  return z.number({ error }).gt(bound, { error });
}

/** A real number, 0 or above. */
export function atLeastZero() {
  const error = "a finite number >= 0";
  return z.number({ error }).min(0, { error });
}

/** A real number in (0, 1]. */
export function positiveShare() {
  const error = "a number in (0, 1]";
  return z.number({ error }).gt(0, { error }).max(1, { error });
}

/** A real number in [0, 1). */
export function belowOne() {
  const error = "a number in [0, 1)";
  return z.number({ error }).min(0, { error }).lt(1, { error });
}

/** A real number in [0, 1]. */
export function share() {
  const error = "a number in [0, 1]";
  return z.number({ error }).min(0, { error }).max(1, { error });
}

/** true or false. */
export const flag = () => z.boolean({ error: "true or false" });

/** What random numbers follow from: a safe integer, 0 unless told otherwise. */
export const seed = () => z.int({ error: "a safe integer" }).default(0);

/** One of several words. */
export const oneOf = <const Words extends readonly [string, ...string[]]>(...words: Words) =>
  z.enum(words, { error: `one of ${words.map((word) => `"${word}"`).join(", ")}` });

/** What was measured of a model. @param loader the function that reads it from a file */
export const measured = <const Kind extends string>(kind: Kind, loader: string) =>
  z.custom<Measured<Kind>>((value) => isMeasured(kind, value), { error: `a measurement, as ${loader} gives it` });

/** A step that pools: maxPool(size), avgPool(size) or one's own. */
export const pool = () => z.custom<Step>(isStep, { error: "a pooling step such as maxPool(7) or avgPool(5)" });

/** What was measured for each KV head. */
export const heads = () =>
  z.custom<HeadScores>((value) => hasLabel(value) && "values" in value, {
    error: "head scores, from loadHeads(model, path) or headScores(values)",
  });

/** What was measured for each KV head and share of the budget. */
export const curves = () =>
  z.custom<BudgetCurves>((value) => hasLabel(value) && "tables" in value, {
    error: "curves, from loadCurves(model, path) or budgetCurves(tables)",
  });

const isStep = (value: unknown): value is Step => typeof value === "function" && hasLabel(value);

const hasLabel = (value: unknown): value is { readonly label: unknown } => value instanceof Object && "label" in value;

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

/** The options beside `budget` of what has one: schemas, and how they bound it. */
export interface BudgetedShape<Shape extends z.ZodRawShape> {
  readonly options: Shape;
  /** The option that counts always-kept tokens: the budget must be larger. */
  readonly budgetAbove?: Extract<keyof Shape, string>;
}

export type Budgeted<Options> = Options & { readonly budget: number };
/** What a caller writes; zod would take "no options" for "no keys at all", the budget's among them. */
export type GivenBudgeted<Shape extends z.ZodRawShape> = Budgeted<
  [keyof Shape] extends [never] ? unknown : z.input<z.ZodObject<Shape>>
>;

/** As `parseOptions`, with a budget. @throws KvError `invalid_option` or `budget_too_small`, at path [name, option] */
export function parseBudgeted<Shape extends z.ZodRawShape>(
  name: string,
  { options: shape, budgetAbove }: BudgetedShape<Shape>,
  given: GivenBudgeted<Shape>,
): Budgeted<z.output<z.ZodObject<Shape>>> {
  const options = parseOptions(name, shape, given, ["budget"]);
  const kept = new Map(Object.entries(options)).get(budgetAbove ?? "");
  const floor = budgetAbove === undefined ? null : { option: budgetAbove, value: Number(kept) };
  return { ...options, budget: checkBudget(name, given.budget, floor) };
}

/** @param floor what the budget must be above, null for 0 */
export function checkBudget(name: string, budget: unknown, floor: { option: string; value: number } | null): number {
  const path = [name, "budget"];
  const allowed = floor === null ? "an integer >= 1" : `an integer > ${floor.value} (${floor.option})`;
  if (typeof budget !== "number" || !Number.isSafeInteger(budget)) throw invalid(path, budget, allowed);
  if (budget > (floor?.value ?? 0)) return budget;
  const hint = floor === null ? "nothing would be kept" : "what is always kept would take all of it";
  throw new KvError({ code: "budget_too_small", path, found: budget, allowed, hint });
}

/** Options as plain data: a step, or what was measured, becomes its label. */
export const recorded = (options: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(options).map(([key, value]) => [key, hasLabel(value) ? value.label : value]));
