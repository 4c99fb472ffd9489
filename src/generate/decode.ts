/** One token of each sequence, and then what a policy lets go of. */
import type { DecodingPolicy } from "../decoding/policy.ts";
import type { Engine, Step } from "../engine/index.ts";

/** @returns the logits of each sequence: [vocab] @throws KvError as a policy does that cannot begin */
export async function decode(
  engine: Engine,
  batch: readonly Step[],
  evict: DecodingPolicy | undefined,
): Promise<readonly Float32Array[]> {
  if (evict === undefined) return engine.step(batch);
  // Before any of them takes in a token: a policy that cannot begin leaves all as they are.
  for (const { cache } of batch) cache.begin(evict, engine);
  const logits = await engine.step(batch.map((step) => ({ ...step, sees: evict.sees })));
  for (const { cache } of batch) await cache.evict(evict, engine);
  return logits;
}
