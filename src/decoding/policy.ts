/**
 * A decoding policy: what a cache keeps while tokens are generated, beside or after a method that compressed its prompt.
 *
 * After every token that a cache took in, the policy says which entries of each KV head of each layer go. What goes takes no part in any
 * later attention, and its memory is free. So a token attends to what was held before it and to itself, and then makes room. A policy is
 * data; what it remembers from token to token is an immutable value that goes with the cache, so forks and batches keep their own.
 */
import { z } from "zod";
import type { Decider, Evictor, Held, Sight, Workplace } from "../cache/decider.ts";
import { type BudgetedShape, parseOptions, recorded } from "../methods/options.ts";
import { allNeeds, type Needs } from "../scoring/needs.ts";
import { excessOfHeads, type HeldEntries } from "./heads.ts";
import { type Target, targetOf } from "./target.ts";

export interface DecodingPolicy extends Evictor {
  readonly name: string;
  /** Entries per KV head, or the share of the tokens seen, that stay. */
  readonly budget: Target;
  /** The budget as a number of entries, once so many tokens were seen. */
  readonly target: (seen: number) => number;
  /** The validated options as plain data, defaults filled in: what to write beside a result. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Whether it turns keys to positions within the cache: then a stream need not end with the model's context. */
  readonly endless: boolean;
  /** What prefill must observe for it: pass the policy in `observe`, beside the methods. */
  readonly needs: Needs;
}

/** Makes a policy from its options. @throws KvError `invalid_option` or `budget_too_small`, at path [name, option] */
export type PolicyFactory<Options = { readonly budget: Target }> = (options: Options) => DecodingPolicy;

/** A policy that remembers something, or looks at more than positions. */
export interface Behaviour {
  /** Default: nothing. */
  readonly needs?: Partial<Needs>;
  /** Default: positions. */
  readonly sees?: Sight;
  /** Default: false. */
  readonly endless?: boolean;
  start(held: Held, workplace: Workplace): Decider;
}

type Options<Shape extends z.ZodRawShape> = z.output<z.ZodObject<Shape>> & Pick<DecodingPolicy, "target">;
/** What a caller writes; zod would take "no options" for "no keys at all", the budget's among them. */
type Given<Shape extends z.ZodRawShape> = { readonly budget: Target } & ([keyof Shape] extends [never]
  ? unknown
  : z.input<z.ZodObject<Shape>>);

/**
 * Defines a policy with a budget.
 *
 * @param name what errors and records call it
 * @param build from validated options to the places of the entries that go, of a head that holds more than the budget; or to a whole
 *   behaviour, where that depends on more than positions
 */
export function definePolicy<Shape extends z.ZodRawShape>(
  name: string,
  { options: shape, budgetAbove }: BudgetedShape<Shape>,
  build: (options: Options<Shape>) => ((held: HeldEntries) => readonly number[]) | Behaviour,
): PolicyFactory<Given<Shape>> {
  return (given) => {
    const options = parseOptions(name, shape, given, ["budget"]);
    const kept = new Map(Object.entries(options)).get(budgetAbove ?? "");
    const floor = budgetAbove === undefined ? null : { option: budgetAbove, value: Number(kept) };
    const target = targetOf(name, given.budget, floor);
    const built = build({ ...options, target });
    const behaviour: Behaviour = typeof built === "function" ? { start: () => stateless(target, built) } : built;
    const all = recorded({ ...options, budget: given.budget });
    return {
      name,
      budget: given.budget,
      target,
      options: all,
      sees: "positions",
      endless: false,
      ...behaviour,
      needs: allNeeds([behaviour.needs ?? {}]),
    };
  };
}

/** Decides the same way after every token, head by head. */
export function stateless(
  target: DecodingPolicy["target"],
  choose: (held: HeldEntries) => readonly number[],
  packed = false,
): Decider {
  const decide: Decider = (held) => ({ gone: excessOfHeads(held, target(held.length), choose), packed, next: decide });
  return decide;
}

/** Whether it can be one: policies come from callers. */
export const isPolicy = (value: unknown): value is DecodingPolicy =>
  typeof value === "object" && value !== null && "start" in value && typeof value.start === "function";

/** The schema of an option that takes a policy. */
export const policyOption = z
  .custom<DecodingPolicy>(isPolicy, "a decoding policy such as streamingWindow({ budget: 128 })")
  .optional();

/** The schema of an option that takes a policy, or a list of one or null for each of several caches. */
export const policiesOption = z
  .custom<DecodingPolicy | readonly (DecodingPolicy | null)[]>(
    (value) => isPolicy(value) || (Array.isArray(value) && value.every((one) => one === null || isPolicy(one))),
    "a decoding policy such as streamingWindow({ budget: 128 }), or a list of one or null for each cache",
  )
  .optional();
