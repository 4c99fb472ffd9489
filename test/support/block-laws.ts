/**
 * What compression block by block must obey under every method: `await assertBlockLaws(myMethod)`.
 *
 * The laws run the real engine on tiny random models and compare it with one-shot compression, with the plain-TypeScript decoder
 * under the visibility that evictions imply, and with evictions made over again from what the engine gave.
 */
import assert from "node:assert/strict";
import { compressInBlocks, type MethodFactory } from "../../src/index.ts";
import { visibility } from "./blocks/attended.ts";
import { choice } from "./blocks/chosen.ts";
import { holdings } from "./blocks/held.ts";
import { sameness } from "./blocks/same.ts";
import { type BlockTrial, type Laws, onBlocks } from "./blocks/trial.ts";
import { smallestBudget } from "./method-laws.ts";
import { recorded } from "./recorded-engine.ts";

const LAWS: Laws = { ...sameness, ...holdings, ...choice, ...visibility };

const REFUSED = "is refused before anything runs, for it needs the whole prompt";

/** The sentences that a method must make true: of one that must see the whole prompt at once there is one. */
export const blockLawsOf = (factory: MethodFactory): readonly string[] =>
  needsWholePrompt(factory) ? [REFUSED] : Object.keys(LAWS);

async function isRefused(factory: MethodFactory, { model, tokens, budget, block }: BlockTrial): Promise<void> {
  const recording = recorded(model);
  const method = factory({ budget });
  for (const working of [budget, tokens.length + budget, Number.POSITIVE_INFINITY])
    await assert.rejects(compressInBlocks(recording.model, tokens, method, { block, working }), {
      code: "invalid_option",
      path: ["compressInBlocks", "method"],
      found: method.name,
    });
  assert.equal(recording.calls.length, 0);
}

function needsWholePrompt(factory: MethodFactory): boolean {
  const { probes, queries } = factory({ budget: smallestBudget(factory) }).needs;
  return probes.length > 0 || queries === Number.POSITIVE_INFINITY;
}

/** Checks one law. @throws with the smallest counterexample */
export function assertBlockLaw(law: string, factory: MethodFactory, runs = 12): Promise<void> {
  const check = law === REFUSED ? isRefused : (LAWS[law] ?? assert.fail(`no such law: ${law}`));
  return onBlocks(factory, (trial) => check(factory, trial), runs);
}

/** Checks them all on one method. @throws at the first that fails, with the smallest counterexample */
export async function assertBlockLaws(factory: MethodFactory, runs?: number): Promise<void> {
  for (const law of blockLawsOf(factory)) await assertBlockLaw(law, factory, runs);
}
