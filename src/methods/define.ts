/** Makes a method factory: validates its options, names the method, and derives what prefill must observe. */
import type { z } from "zod";
import { KvError } from "../error.ts";
import { invalid } from "../options.ts";
import type { Method, MethodFactory } from "./method.ts";
import { parseOptions, recorded } from "./options.ts";

export interface Definition<Shape extends z.ZodRawShape> {
  /** The options beside `budget`. */
  readonly options: Shape;
  /** The option that counts always-kept tokens: the budget must be larger. */
  readonly budgetAbove?: Extract<keyof Shape, string>;
  /** false where the schedule may spend more or less than the budget. */
  readonly exact?: boolean;
}

type Parts = Pick<Method, "keep" | "score" | "allocate">;
type Budgeted<Options> = Options & { readonly budget: number };
/** What a caller writes; zod would take "no options" for "no keys at all", the budget's among them. */
type Given<Shape extends z.ZodRawShape> = Budgeted<
  [keyof Shape] extends [never] ? unknown : z.input<z.ZodObject<Shape>>
>;

/**
 * Defines a method with a budget.
 *
 * @param name what errors and records call it
 * @param build the method's parts from its validated options
 * @returns a factory that throws KvError `invalid_option` or `budget_too_small` with the path [name, option]
 */
export function define<Shape extends z.ZodRawShape>(
  name: string,
  { options: shape, budgetAbove, exact = true }: Definition<Shape>,
  build: (options: Budgeted<z.output<z.ZodObject<Shape>>>) => Parts,
): MethodFactory<Given<Shape>> {
  return (given) => {
    const parsed = parseOptions(name, shape, given, ["budget"]);
    const kept = new Map(Object.entries(parsed)).get(budgetAbove ?? "");
    const floor = budgetAbove === undefined ? null : { option: budgetAbove, value: Number(kept) };
    const options = { ...parsed, budget: checkBudget(name, given.budget, floor) };
    const { keep, score, allocate } = build(options);
    // A scored method must have something left to choose, also where no option of its own counts what is always kept.
    if (score !== null)
      checkBudget(name, options.budget, floor ?? { option: "always kept", value: keep.first + keep.last });
    const needs = score?.needs ?? { queries: 0, columnSums: false };
    return { name, budget: options.budget, options: recorded(options), keep, score, allocate, needs, exact };
  };
}

function checkBudget(name: string, budget: unknown, floor: { option: string; value: number } | null): number {
  const path = [name, "budget"];
  const allowed = floor === null ? "an integer >= 1" : `an integer > ${floor.value} (${floor.option})`;
  if (typeof budget !== "number" || !Number.isSafeInteger(budget)) throw invalid(path, budget, allowed);
  if (budget > (floor?.value ?? 0)) return budget;
  const hint = floor === null ? "nothing would be kept" : "what is always kept would take all of it";
  throw new KvError({ code: "budget_too_small", path, found: budget, allowed, hint });
}
