/** Budgets as a sweep is asked for them: entries per KV head, or a share of each prompt. */
import { KvError } from "../../error.ts";

/** Entries kept per KV head on average (128), or a share of the prompt ("25%"). */
export type Budget = number | `${number}%`;

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

/** Entries per KV head of a budget, for a prompt of `length` tokens. */
export function entriesOf(budget: Budget, length: number): number {
  if (typeof budget === "number") return budget;
  return Math.max(1, Math.round(((shareOf(budget) ?? 0) / 100) * length));
}

function shareOf(text: string): number | null {
  const [, share] = /^(\d+(?:\.\d+)?)%$/.exec(text) ?? [];
  return share === undefined ? null : Number(share);
}
