/** The decoding policies that a user names after a method: "snapkv+streamingwindow", or "snapkv+streamingwindow:512" with a budget of its own. */
import { type MethodAndPolicy, parseBudget } from "../../src/evaluate/index.ts";
import { everySteps, KvError, type MethodFactory, type PolicyFactory, policies } from "../../src/index.ts";
import { one } from "./command.ts";

/** A policy that may need to know which method it follows. */
type Following = (method: MethodFactory) => PolicyFactory;

const known: Readonly<Record<string, Following>> = {
  ...Object.fromEntries(Object.entries(policies).map(([name, policy]): [string, Following] => [name, () => policy])),
  everysteps: (method) => (options) => everySteps(method({ budget: entries(options.budget) })),
};

export const POLICIES: readonly string[] = Object.keys(known);

/** @throws KvError `invalid_option` for a name that is not known, or a budget that is none; the policy's own faults once it follows a method */
export function namedPolicy(text: string): (method: MethodFactory) => MethodAndPolicy["evict"] {
  const [name = "", ...own] = text.split(":");
  const following = one("--methods", name, known);
  if (own.length === 0) return following;
  const budget = parseBudget(own.join(":"), ["--methods", name]);
  return (method) => following(method)({ budget });
}

/** Methods that run again know no shares. */
function entries(budget: unknown): number {
  if (typeof budget === "number") return budget;
  const allowed = "a number of entries";
  throw new KvError({ code: "invalid_option", path: ["everysteps", "budget"], found: budget, allowed });
}
