/** Budgets as a sweep is asked for them: entries per KV head, or a share of each prompt. */
import { KvError } from "../../error.ts";
import type { Method, MethodFactory } from "../../methods/method.ts";
import { hashOf } from "./hash.ts";

/** Entries kept per KV head on average (128), or a share of the prompt ("25%"). */
export type Budget = number | `${number}%`;

/** A method at a budget, for one prompt. */
export interface Configuration {
  readonly method: Method;
  /** As it was asked for: "128", "25%" or "all". */
  readonly budget: string;
  /** Tokens of the true answer, where the method was told it. */
  readonly told?: readonly number[];
}

/** @throws KvError `invalid_option` unless it is an integer >= 1 or a share in (0, 100] */
export function checkBudget(budget: unknown, path: readonly (string | number)[]): Budget {
  if (typeof budget === "number" && Number.isSafeInteger(budget) && budget >= 1) return budget;
  const share = typeof budget === "string" ? shareOf(budget) : null;
  if (share !== null && share > 0 && share <= 100) return `${share}%`;
  throw new KvError({
    code: "invalid_option",
    path,
    found: budget,
    allowed: 'entries per KV head, an integer >= 1, or a share of the prompt such as "25%"',
  });
}

/** What a command line says, "128" or "25%". @throws KvError `invalid_option` */
export const parseBudget = (text: string, path: readonly (string | number)[]): Budget =>
  checkBudget(/^\s*\d+\s*$/.test(text) ? Number(text) : text.trim(), path);

/**
 * Every method at every budget, for a prompt of `length` tokens. Methods that were made before keep their own budget. What is
 * there twice is asked once, such as what keeps everything at any budget.
 *
 * @throws KvError `budget_too_small` where a method cannot do with it
 */
export function configurations(
  methods: readonly (Method | MethodFactory)[],
  budgets: readonly Budget[],
  length: number,
): readonly Configuration[] {
  const all = methods.flatMap((method) =>
    typeof method === "function"
      ? budgets.map((budget) => configuration(method({ budget: entries(budget, length) }), String(budget)))
      : [configuration(method, String(method.budget))],
  );
  const seen = new Set<string>();
  return all.filter(
    ({ method: { name, options }, budget }) => seen.size < seen.add(hashOf({ name, options, budget })).size,
  );
}

const configuration = (method: Method, budget: string): Configuration => ({
  method,
  budget: Number.isFinite(method.budget) ? budget : "all",
});

function entries(budget: Budget, length: number): number {
  if (typeof budget === "number") return budget;
  return Math.max(1, Math.round(((shareOf(budget) ?? 0) / 100) * length));
}

function shareOf(text: string): number | null {
  const [, share] = /^(\d+(?:\.\d+)?)%$/.exec(text) ?? [];
  return share === undefined ? null : Number(share);
}
