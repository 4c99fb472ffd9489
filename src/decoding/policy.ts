/**
 * A decoding policy: what a cache keeps while tokens are generated, beside or after a method that compressed its prompt.
 *
 * After every token that a cache took in, each KV head of each layer that holds more than `budget` entries is asked which of them
 * go. What goes takes no part in any later attention, and its memory is free. So a token attends to what was held
 * before it and to itself, and then makes room. A policy is a pure function of what a head holds: forks and batches need no more.
 */
import { z } from "zod";
import type { Evictor, HeldEntries } from "../cache/evict.ts";
import { type Budgeted, type BudgetedShape, type GivenBudgeted, parseBudgeted, recorded } from "../methods/options.ts";

export interface DecodingPolicy extends Evictor {
  readonly name: string;
  /** The validated options as plain data, defaults filled in: what to write beside a result. */
  readonly options: Readonly<Record<string, unknown>>;
}

/** Makes a policy from its options. @throws KvError `invalid_option` or `budget_too_small`, at path [name, option] */
export type PolicyFactory<Options = { readonly budget: number }> = (options: Options) => DecodingPolicy;

/**
 * Defines a policy with a budget.
 *
 * @param name what errors and records call it
 * @param build from validated options to the places of the entries that go, of a head that holds more than the budget
 */
export function definePolicy<Shape extends z.ZodRawShape>(
  name: string,
  shape: BudgetedShape<Shape>,
  build: (options: Budgeted<z.output<z.ZodObject<Shape>>>) => (held: HeldEntries) => readonly number[],
): PolicyFactory<GivenBudgeted<Shape>> {
  return (given) => {
    const options = parseBudgeted(name, shape, given);
    return { name, budget: options.budget, options: recorded(options), evict: build(options) };
  };
}

const isPolicy = (value: unknown) =>
  typeof value === "object" && value !== null && "evict" in value && typeof value.evict === "function";

/** The schema of an option that takes a policy. */
export const policyOption = z
  .custom<DecodingPolicy>(isPolicy, "a decoding policy such as streamingWindow({ budget: 128 })")
  .optional();
