/** One token of each sequence, and then what policies let go of. */
import type { DecodingPolicy } from "../decoding/policy.ts";
import type { Engine, Step } from "../engine/index.ts";

/** One sequence's next token, and what evicts after it. */
export interface DecodingStep extends Pick<Step, "token" | "cache"> {
  readonly evict: DecodingPolicy | undefined;
}

/** @returns the logits of each sequence: [vocab] @throws KvError as a policy does that cannot begin */
export async function decode(engine: Engine, batch: readonly DecodingStep[]): Promise<readonly Float32Array[]> {
  // Before any of them takes in a token: a policy that cannot begin leaves all as they are.
  for (const { cache, evict } of batch) if (evict !== undefined) cache.begin(evict, engine);
  const logits = await engine.step(
    batch.map(({ token, cache, evict }) => ({ token, cache, sees: evict?.sees ?? "positions" })),
  );
  for (const { cache, evict } of batch) if (evict !== undefined) await cache.evict(evict, engine);
  return logits;
}
