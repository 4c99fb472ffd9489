/** How much a policy keeps: a number of entries, or a share of the tokens seen so far. */
import { checkBudget } from "../methods/options.ts";
import { invalid } from "../options.ts";

/** Entries per KV head (128), or a share of the tokens seen ("25%"). */
export type Target = number | `${number}%`;

/**
 * Entries per KV head that stay once so many tokens were seen; a share is rounded, and never less than what the policy needs.
 *
 * @param floor the option that counts what is always kept: a target must be larger
 * @throws KvError `invalid_option` or `budget_too_small`, at path [name, "budget"]
 */
export function targetOf(
  name: string,
  budget: unknown,
  floor: { readonly option: string; readonly value: number } | null,
): (seen: number) => number {
  if (typeof budget !== "string") {
    const entries = checkBudget(name, budget, floor);
    return () => entries;
  }
  const [, percent] = /^(\d+(?:\.\d+)?)%$/.exec(budget) ?? [];
  const share = Number(percent) / 100;
  if (!(share > 0 && share <= 1))
    throw invalid([name, "budget"], budget, 'a number of entries, or a share of the tokens seen such as "25%"');
  const least = (floor?.value ?? 0) + 1;
  return (seen) => Math.max(least, Math.round(share * seen));
}
