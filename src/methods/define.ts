/** Makes a method factory: validates its options, names the method, and derives what prefill must observe. */
import type { z } from "zod";
import { allNeeds } from "../scoring/needs.ts";
import type { Method, MethodFactory } from "./method.ts";
import {
  type Budgeted,
  type BudgetedShape,
  checkBudget,
  type GivenBudgeted,
  parseBudgeted,
  recorded,
} from "./options.ts";

export interface Definition<Shape extends z.ZodRawShape> extends BudgetedShape<Shape> {
  /** false where the schedule may spend more or less than the budget. */
  readonly exact?: boolean;
}

type Parts = Pick<Method, "keep" | "score" | "allocate">;

/**
 * Defines a method with a budget.
 *
 * @param name what errors and records call it
 * @param build the method's parts from its validated options
 * @returns a factory that throws KvError `invalid_option` or `budget_too_small` with the path [name, option]
 */
export function define<Shape extends z.ZodRawShape>(
  name: string,
  { exact = true, ...shape }: Definition<Shape>,
  build: (options: Budgeted<z.output<z.ZodObject<Shape>>>) => Parts,
): MethodFactory<GivenBudgeted<Shape>> {
  return (given) => {
    const options = parseBudgeted(name, shape, given);
    const { keep, score, allocate } = build(options);
    // A scored method must have something left to choose, also where no option of its own counts what is always kept.
    if (score !== null && shape.budgetAbove === undefined)
      checkBudget(name, options.budget, { option: "always kept", value: keep.first + keep.last });
    const needs = allNeeds([score?.needs ?? {}, allocate.needs ?? {}]);
    const namesHeads = score?.namesHeads === true || allocate.namesHeads === true;
    return {
      name,
      budget: options.budget,
      options: recorded(options),
      keep,
      score,
      allocate,
      needs,
      exact,
      namesHeads,
    };
  };
}
