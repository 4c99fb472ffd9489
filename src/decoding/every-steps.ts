import type { Decider, Workplace } from "../cache/decider.ts";
import type { CacheGeometry } from "../cache/layer.ts";
import type { Method } from "../methods/method.ts";
import { count, parseOptions } from "../methods/options.ts";
import { invalid } from "../options.ts";
import { allNeeds } from "../scoring/needs.ts";
import type { Tensor } from "../tensor.ts";
import { goneBy } from "./choose.ts";
import type { DecodingPolicy } from "./policy.ts";
import { sightOf } from "./sight.ts";
import { refuseSlidingWindow } from "./sliding.ts";
import { type Target, targetOf } from "./target.ts";

export interface EveryStepsOptions {
  /** Tokens between two runs, >= 1 and at least the queries that the method's score looks at; default 16. */
  readonly every?: number;
  /** Entries per KV head, on average, after a run, or a share of the tokens seen ("25%"); default: the method's budget. */
  readonly budget?: Target;
}

const NAME = "everysteps";

/**
 * Any compression method, run again after every `every` tokens: it scores what each head holds by then with the queries of the tokens since
 * the last run, and its schedule splits the budget anew. Between two runs everything new stays, so a head holds up to `every` entries more.
 *
 * The prompt may have been compressed by another method, or by none. A head that holds fewer entries than the schedule gives it at a run
 * keeps them all. Scores that need sums over all queries are `heavyHitters`' business.
 *
 * @formula the method's, over the entries held, with the queries of the tokens since the last run.
 * @cost A selection as `compress` makes it, every `every` tokens.
 * @memory b + every entries per KV head at most, and as many queries as the score looks at.
 * @helps Where single newest tokens are a poor judge (`tokenOmission`) and old sums a slow one (`heavyHitters`).
 * @throws KvError `invalid_option`, also where it begins on a model with a sliding window
 * @see https://github.com/NVIDIA/kvpress DecodingPress
 */
export function everySteps(method: Method, given: EveryStepsOptions = {}): DecodingPolicy {
  const { every } = parseOptions(NAME, { every: count(1).default(16) }, given, ["budget"]);
  const { needs, keep } = method;
  if (needs.columnSums || needs.moments || needs.queries === Number.POSITIVE_INFINITY)
    throw invalid([NAME, "method"], method.name, "a method that does not look at all queries, or heavyHitters instead");
  if (needs.probes.length > 0)
    throw invalid([NAME, "method"], method.name, "a method that runs nothing after the prompt");
  if (method.allocate.needs !== undefined)
    throw invalid([NAME, "method"], method.name, "a method whose schedule looks at scores or sizes, not at attention");
  if (every < needs.queries)
    throw invalid([NAME, "every"], every, `an integer >= ${needs.queries}, the queries that ${method.name} looks at`);
  if (method.score === null && given.budget !== undefined)
    throw invalid([NAME, "budget"], given.budget, `left out: ${method.name} keeps what it always keeps`);
  const { budget = method.budget } = given;
  const floor = { option: "always kept", value: keep.first + keep.last - (method.score === null ? 1 : 0) };
  const target = budget === Number.POSITIVE_INFINITY ? () => budget : targetOf(NAME, budget, floor);
  const sees = needs.queries > 0 ? "queries" : "positions";
  return {
    name: NAME,
    budget,
    target,
    options: { every, method: method.name, ...method.options, budget },
    needs: allNeeds([]),
    sees,
    endless: false,
    start(_, workplace) {
      refuseSlidingWindow(NAME, workplace);
      return waiting({ method, target, every, workplace }, 0, []);
    },
  };
}

interface Rhythm {
  readonly method: Method;
  readonly target: DecodingPolicy["target"];
  readonly every: number;
  readonly workplace: Workplace;
}

/**
 * @param done tokens since the last run
 * @param last of each of the last tokens that the score will look at, each layer's queries, [H, d]
 */
function waiting(rhythm: Rhythm, done: number, last: readonly (readonly Float32Array[])[]): Decider {
  const { method, target, every, workplace } = rhythm;
  const { needs } = method;
  return async (held) => {
    const tokens = needs.queries > 0 ? [...last, sightOf(held, "queries")].slice(-needs.queries) : last;
    if (done + 1 < every) {
      return {
        gone: held.layers.map(({ offsets }) => Array.from(offsets.subarray(1), () => [])),
        next: waiting(rhythm, done + 1, tokens),
      };
    }
    const queries = together(held.geometry, tokens);
    const choice = { method, target: target(held.length), queries, workplace };
    return { gone: await goneBy(choice, held), next: waiting(rhythm, 0, []) };
  };
}

/** Each layer's queries of some tokens: [H, tokens, d]. */
function together({ layers, headDim }: CacheGeometry, tokens: readonly (readonly Float32Array[])[]): readonly Tensor[] {
  return Array.from({ length: layers }, (_, layer) => {
    const heads = (tokens[0]?.[layer]?.length ?? 0) / headDim;
    const data = new Float32Array(heads * tokens.length * headDim);
    for (const [i, ofToken] of tokens.entries())
      for (let head = 0; head < heads; head++) {
        const query = ofToken[layer]?.subarray(head * headDim, (head + 1) * headDim) ?? [];
        data.set(query, (head * tokens.length + i) * headDim);
      }
    return { data, dims: [heads, tokens.length, headDim] };
  });
}
