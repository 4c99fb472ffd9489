/** What decides a result, as one hash: equal keys are equal results, so a sweep that goes on computes only what is missing. */
import type { Provenance } from "../../load.ts";
import { type Configuration, recordOf } from "./configuration.ts";
import { hashOf } from "./hash.ts";
import type { Ask } from "./job.ts";

/**
 * An example of a task. What it is asked is hashed with it, so the task's options need not be: more examples, or another length beside,
 * are no reason to compute the old ones again.
 */
export interface Identity {
  readonly task: string;
  readonly seed: number;
  readonly example: string;
  readonly answers: readonly string[];
}

/**
 * Of weights, engine, precision, the tokens that are asked, how they are answered and measured, what is kept, and what evicts. Versions and
 * threads are not in it: a newer version goes on where an older one stopped, and each result says which made it.
 *
 * @returns the key of each configuration of one example
 */
export function keysOf(
  { weights, engine, precision }: Provenance,
  identity: Identity,
  ask: Ask,
  configurations: readonly Configuration[],
): readonly string[] {
  const example = hashOf({ weights, engine, precision, identity, ask });
  return configurations.map((one) => hashOf({ example, ...recordOf(one), budget: one.budget, told: one.told }));
}
