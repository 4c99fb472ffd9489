import { argmax } from "../../src/tensor.ts";
import type { SampleOptions } from "./index.ts";

/** A token that may be drawn, and the share of the draws, [from, to), that give it. */
export interface Chance {
  readonly token: number;
  readonly from: number;
  readonly to: number;
}

/** What each possible draw gives for one row of logits, in the order of the tokens; nothing where no logit is above minus infinity. */
export function chances(logits: Float32Array, { temperature, topK, topP }: SampleOptions): readonly Chance[] {
  const possible = Array.from(logits, (logit, token) => ({ token, logit })).filter(({ logit }) => logit > -Infinity);
  const likely = possible.toSorted((a, b) => b.logit - a.logit || a.token - b.token);
  const candidates = topK === 0 ? likely : likely.slice(0, topK);
  const top = candidates[0]?.logit ?? 0;
  if (top === Infinity) return [{ token: argmax(logits), from: 0, to: 1 }];
  const masses = candidates.map(({ token, logit }) => ({ token, mass: Math.exp((logit - top) / temperature) }));
  const kept = topP < 1 ? leading(masses, topP * total(masses)) : masses;
  const all = total(kept);
  let from = 0;
  return kept
    .toSorted((a, b) => a.token - b.token)
    .map(({ token, mass }) => {
      const chance = { token, from, to: from + mass / all };
      from = chance.to;
      return chance;
    });
}

interface Weighed {
  readonly token: number;
  readonly mass: number;
}

/** The first whose masses reach a target. */
function leading(masses: readonly Weighed[], target: number): readonly Weighed[] {
  let missing = target;
  const end = masses.findIndex(({ mass }) => {
    missing -= mass;
    return missing <= 0;
  });
  return end < 0 ? masses : masses.slice(0, end + 1);
}

const total = (masses: readonly Weighed[]): number => masses.reduce((sum, { mass }) => sum + mass, 0);
