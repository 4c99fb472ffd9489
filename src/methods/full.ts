import { uniform } from "../allocation/uniform.ts";
import { allNeeds } from "../scoring/needs.ts";
import { lastTokens, type Method } from "./method.ts";
import { count, parseOptions } from "./options.ts";

export interface FullOptions {
  /** Has no effect: so that one options object can be swept over all methods. */
  readonly budget?: number;
}

/**
 * Full attention: keeps every entry. What the other methods are measured against.
 *
 * @formula all j < n.
 * @cost None.
 * @memory 2 n d numbers per KV head and layer, and as many for every generated token.
 * @helps As the reference. No method here can be expected to answer better, but some do by chance.
 * @see https://arxiv.org/abs/1706.03762
 */
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
