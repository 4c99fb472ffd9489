import type { Decider, Held } from "../cache/decider.ts";
import { everyHead } from "../cache/inventory.ts";
import { KvError } from "../error.ts";
import { share } from "../methods/options.ts";
import { lowest } from "./lowest.ts";
import { placesIn, valuesAt } from "./places.ts";
import { type DecodingPolicy, definePolicy, type PolicyFactory } from "./policy.ts";
import { sightOf } from "./sight.ts";
import type { Target } from "./target.ts";

export interface HeavyHittersOptions {
  /** Entries kept per KV head, the recent ones included, or a share of the tokens seen ("25%"); >= 1. */
  readonly budget: Target;
  /** The share of the budget that goes to the most recent tokens, in [0, 1], rounded down; default 0.5, as published. */
  readonly recent?: number;
}

/**
 * H2O while decoding: after every token, each layer and head keeps its most recent tokens, and of the others those that received the most
 * attention from all tokens since they came, the prompt's included.
 *
 * After a prompt compressed by `h2o({ budget, window: budget / 2 })` this is the published algorithm. Sums begin with what prefill added
 * up, so it must observe: `prefill(model, prompt, { observe: [method, policy] })`. Where query heads share a KV head their sums are added.
 *
 * @formula s[j] = sum over i >= j of A[h,i,j], over the prompt's queries and every decoded one; the lowest s goes, of j outside the last b/2.
 * @cost The attention of each new token, which the step computes anyway; a batch is decoded one sequence after the other.
 * @memory b entries per KV head, and a sum of 8 bytes for each; prefill must add up its attention.
 * @helps Where what matters was looked at often. Early tokens have had more time to gather sums, so late facts lose.
 * @see https://arxiv.org/abs/2306.14048
 */
export const heavyHitters: PolicyFactory<HeavyHittersOptions> = definePolicy(
  "heavyhitters",
  { options: { recent: share().default(0.5) } },
  ({ recent, target }) => ({
    needs: { columnSums: true },
    sees: "attention",
    start: (held) => deciding(ofPrompt(held), recent, target),
  }),
);

/** What the entries of one head received so far. */
interface Received {
  readonly positions: Int32Array;
  readonly sums: Float64Array;
}

const NOBODY: Received = { positions: new Int32Array(0), sums: new Float64Array(0) };

function deciding(known: readonly (readonly Received[])[], recent: number, target: DecodingPolicy["target"]): Decider {
  return (held) => {
    const attention = sightOf(held, "attention");
    const most = target(held.length);
    const heads = everyHead(held, (positions, layer, kvHead) => {
      const before = known[layer]?.[kvHead] ?? NOBODY;
      const sums = valuesAt(before.sums, placesIn(before.positions, positions));
      const masses = attention[layer]?.[kvHead] ?? new Float32Array(0);
      for (let place = 0; place < sums.length; place++) sums[place] = (sums[place] ?? 0) + (masses[place] ?? 0);
      const excess = positions.length - most;
      const safe = Math.floor(recent * most);
      const gone =
        excess > 0 ? lowest(guarded(sums, positions, recentFrom(positions, safe, held.length)), positions, excess) : [];
      return { positions, sums, gone };
    });
    return { gone: heads.map((layer) => layer.map(({ gone }) => gone)), next: deciding(heads, recent, target) };
  };
}

/** The position of the first of the `count` most recent entries, of `length` tokens seen. */
function recentFrom(positions: Int32Array, count: number, length: number): number {
  const first = length - count;
  let recent = 0;
  for (let place = 0; place < positions.length; place++) if ((positions[place] ?? 0) >= first) recent++;
  // They are the last tokens, unless something else evicted from the cache before.
  return recent === count ? first : (positions.toSorted()[positions.length - count] ?? length);
}

/** The sums with those of recent entries above all others. */
function guarded(sums: Float64Array, positions: Int32Array, first: number): Float64Array {
  const open = sums.slice();
  for (let place = 0; place < open.length; place++)
    if ((positions[place] ?? 0) >= first) open[place] = Number.POSITIVE_INFINITY;
  return open;
}

/** What each head's entries received from the prompt. @throws KvError `observation_missing` */
function ofPrompt({ layers, received }: Held): readonly (readonly Received[])[] {
  if (received === null) {
    const hint =
      "pass the policy in `observe` of `prefill`, and the same policy to every step: sums of entries begin with what prefill saw of them";
    const [found, allowed] = ["not observed", "added up during prefill, on a cache that nothing was evicted from yet"];
    throw new KvError({ code: "observation_missing", path: ["cache", "received"], found, allowed, hint });
  }
  return layers.map(({ positions, offsets }, layer) =>
    Array.from(offsets.subarray(1), (to, head) => ({
      positions: positions.slice(offsets[head], to),
      sums: Float64Array.from(received[layer]?.subarray(offsets[head], to) ?? []),
    })),
  );
}
