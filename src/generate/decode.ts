/** One token of each sequence, and then what a policy lets go of. */
import type { DecodingPolicy } from "../decoding/policy.ts";
import type { Engine, Step } from "../engine/index.ts";

/** @returns the logits of each sequence: [vocab] */
export async function decode(
  engine: Engine,
  batch: readonly Step[],
  evict: DecodingPolicy | undefined,
): Promise<readonly Float32Array[]> {
  if (evict === undefined) return engine.step(batch);
  const logits = await engine.step(batch.map((step) => ({ ...step, sees: evict.sees })));
  for (const { cache } of batch) await cache.evict(evict, engine);
  return logits;
}
