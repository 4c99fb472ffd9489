/** One token of each sequence, and then what policies let go of. */
import type { DecodingPolicy } from "../decoding/policy.ts";
import type { Engine, Sampling, Step } from "../engine/index.ts";

/** One sequence's next token, and what evicts after it. */
export interface DecodingStep extends Pick<Step, "token" | "cache"> {
  readonly evict: DecodingPolicy | undefined;
}

/** The same where the token that follows is to be drawn, too. */
export interface DrawingStep extends DecodingStep {
  /** In [0, 1); null where its logits are to be looked at first. */
  readonly draw: number | null;
}

/** Leaves each sequence's logits in its cache. @throws KvError as a policy does that cannot begin */
export async function decode(engine: Engine, batch: readonly DecodingStep[]): Promise<void> {
  await evicting(engine, batch, (steps) => engine.step(steps));
}

/**
 * Gives the tokens that follow, drawn by an engine that can: their logits then stay where it has them. Else null, and the caches have the
 * logits.
 */
export async function decodeAndDraw(
  engine: Engine,
  batch: readonly DrawingStep[],
  sampling: Sampling,
): Promise<readonly number[] | null> {
  const draws = batch.flatMap(({ draw }) => draw ?? []);
  const { draw } = engine;
  if (draw === null || draws.length < batch.length || batch.some(({ evict }) => evict?.sees === "attention")) {
    await decode(engine, batch);
    return null;
  }
  return evicting(engine, batch, (steps) => draw(steps, sampling, draws));
}

async function evicting<T>(
  engine: Engine,
  batch: readonly DecodingStep[],
  run: (steps: readonly Step[]) => Promise<T>,
): Promise<T> {
  // Before any of them takes in a token: a policy that cannot begin leaves all as they are.
  for (const { cache, evict } of batch) if (evict !== undefined) cache.begin(evict, engine);
  const result = await run(
    batch.map(({ token, cache, evict }) => ({ token, cache, sees: evict?.sees ?? "positions" })),
  );
  for (const { cache, evict } of batch) if (evict !== undefined) await cache.evict(evict, engine);
  return result;
}
