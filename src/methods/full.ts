import { uniform } from "../allocation/uniform.ts";
import { allNeeds } from "../scoring/needs.ts";
import { lastTokens, type Method } from "./method.ts";
import { count, parseOptions } from "./options.ts";

export interface FullOptions {
  /** Has no effect: so that one options object can be swept over all methods. */
  readonly budget?: number;
}

/** Full attention: keeps every entry. What the other methods are measured against. */
export function full(options: FullOptions = {}): Method {
  parseOptions("full", { budget: count(1).optional() }, options);
  return {
    name: "full",
    budget: Number.POSITIVE_INFINITY,
    options: {},
    keep: lastTokens(0),
    score: null,
    allocate: uniform(),
    needs: allNeeds([]),
    exact: true,
    namesHeads: false,
  };
}
