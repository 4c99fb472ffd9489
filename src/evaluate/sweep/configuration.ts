/** What a sweep asks every example with: methods at budgets, and what evicts while their answers are decoded. */
import type { DecodingPolicy, PolicyFactory } from "../../decoding/policy.ts";
import type { Method, MethodFactory } from "../../methods/method.ts";
import { invalid } from "../../options.ts";
import { type Budget, entriesOf } from "./budget.ts";
import { hashOf } from "./hash.ts";

/** A method, and what evicts while the answer is decoded: as `pipeline` takes them. */
export interface MethodAndPolicy {
  readonly method: Method | MethodFactory;
  readonly evict: DecodingPolicy | PolicyFactory<{ readonly budget: number }>;
}

export type SweepMethod = Method | MethodFactory | MethodAndPolicy;

/** A method and a policy that are made. */
export interface Made {
  readonly method: Method;
  /** Left out where what was kept of the prompt, and the answer, stay. */
  readonly evict?: DecodingPolicy;
}

/** The same at a budget, for one prompt. */
export interface Configuration extends Made {
  /** What results call it: "snapkv", "snapkv+streamingwindow", or "snapkv+streamingwindow:512" where the policy has a budget of its own. */
  readonly name: string;
  /** As it was asked for: "128", "25%" or "all". */
  readonly budget: string;
  /** Tokens of the true answer, where the method was told it. */
  readonly told?: readonly number[];
}

/** A method and a policy as plain data. */
export interface Recorded {
  readonly method: string;
  readonly options: Method["options"];
  readonly evict?: Pick<DecodingPolicy, "name" | "options">;
}

/** What keys, jobs and results say of a configuration. */
export const recordOf = ({ method, evict }: Made): Recorded => ({
  method: method.name,
  options: method.options,
  ...(evict === undefined ? {} : { evict: { name: evict.name, options: evict.options } }),
});

/** Asks what is a factory, each for its number of entries. @throws KvError as the factories do */
export function madeFor(one: SweepMethod, entries: { readonly method: number; readonly evict: number }): Made {
  const { method: given, evict: policy } = pairOf(one);
  const method = typeof given === "function" ? given({ budget: entries.method }) : given;
  if (policy === undefined) return { method };
  return { method, evict: typeof policy === "function" ? policy({ budget: entries.evict }) : policy };
}

/**
 * Every method at every budget, for a prompt of `length` tokens. Methods and policies that were made before keep their own budget. What is
 * there twice is asked once, such as what keeps everything at any budget.
 *
 * @throws KvError `budget_too_small` where a method or a policy cannot do with it; `invalid_option` for a policy that cannot
 *   follow its method
 */
export function configurations(
  methods: readonly SweepMethod[],
  budgets: readonly Budget[],
  length: number,
): readonly Configuration[] {
  const all = methods.flatMap((one) => {
    const { method, evict } = pairOf(one);
    const isAsked = typeof method === "function" || typeof evict === "function";
    if (!isAsked) return [configuration(one, 0, null)];
    return budgets.map((budget) => configuration(one, entriesOf(budget, length), budget));
  });
  const seen = new Set<string>();
  return all.filter((one) => seen.size < seen.add(hashOf({ ...recordOf(one), budget: one.budget })).size);
}

/**
 * Its budget is the one that was asked for, if method or policy has it; else the method's own, or the policy's after what keeps everything.
 *
 * @param asked the budget that these entries are; null for what has its own
 */
function configuration(one: SweepMethod, entries: number, asked: Budget | null): Configuration {
  const given = pairOf(one);
  const made = madeFor(one, { method: entries, evict: entries });
  const { method, evict } = made;
  const bounded = [
    { isAsked: typeof given.method === "function", budget: method.budget },
    { isAsked: typeof given.evict === "function", budget: evict?.budget ?? Number.POSITIVE_INFINITY },
  ].filter(({ budget }) => budget !== Number.POSITIVE_INFINITY);
  const own = bounded[0]?.budget ?? "all";
  const budget = String(bounded.some(({ isAsked }) => isAsked) ? asked : own);
  // Else two policies that differ in nothing but their own budgets would share a name and a budget.
  const suffix = bounded[1]?.isAsked === false ? `:${bounded[1].budget}` : "";
  if (evict === undefined) return { ...made, name: method.name, budget };
  const name = `${method.name}+${evict.name}${suffix}`;
  if (!canFollow(method, evict))
    throw invalid(["sweep", "methods"], name, "a method without compact or packed entries");
  return { ...made, name, budget };
}

/** What shares a scale cannot go one by one, and the sums that some policies begin with are known by true positions. */
const canFollow = ({ form, packed }: Method, { needs }: DecodingPolicy): boolean =>
  form === undefined && !(packed && needs.columnSums);

const pairOf = (one: SweepMethod): Pick<MethodAndPolicy, "method"> & Partial<MethodAndPolicy> =>
  "evict" in one ? one : { method: one };
