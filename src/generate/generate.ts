/** The third stage: decoding on caches, full or compressed, token by token. */
import type { KvCache } from "../cache/cache.ts";
import { KvError } from "../error.ts";
import type { Model } from "../load.ts";
import { checked } from "../options.ts";
import { assertDecodable, isFull } from "./decodable.ts";
import { decode } from "./decode.ts";
import { type BatchOptions, type GenerateOptions, stepSchema } from "./options.ts";
import { type Replay, replay } from "./replay.ts";
import { type IndexedToken, Run } from "./run.ts";
import type { Generated, GeneratedToken } from "./sequence.ts";

export type { BatchOptions, GenerateOptions } from "./options.ts";
export type { IndexedToken } from "./run.ts";
export type { FinishReason, Generated, GeneratedToken } from "./sequence.ts";

/**
 * Continues a cache. `await` it for the whole result, or `for await` its tokens as they come; leaving that loop ends it.
 *
 * The first token comes from the logits the cache carries, those of the prompt's last token, so a one-token answer says
 * nothing about a compression method. The cache stays as it is: generation runs on a fork.
 *
 * @throws KvError `invalid_option`, `aborted`, `disposed`, `wrong_model`, `tokenizer_missing` (stop strings without one)
 */
export function generate(
  model: Model,
  cache: KvCache,
  options: GenerateOptions = {},
): Replay<GeneratedToken, Generated> {
  const run = new Run(model);
  return replay(alone(run.tokens([cache], options, "generate")), () => only(run.results()));
}

/**
 * Continues many caches at once, which costs little more than one: their tokens share every reading of the weights. Iterated, it
 * gives each sequence's tokens as they come, with its index; each ends on its own. The result is in the order of `caches`.
 *
 * Sequence i is what `generate` makes of `caches[i]` with the seed `seed + i`, so that forks of one prompt differ.
 *
 * @throws KvError as `generate` does
 */
export function generateBatch(
  model: Model,
  caches: readonly KvCache[],
  options: BatchOptions = {},
): Replay<IndexedToken, readonly Generated[]> {
  const run = new Run(model);
  return replay(run.tokens(caches, options, "generateBatch"), () => run.results());
}

export interface StepOptions extends Pick<GenerateOptions, "evict"> {}

/**
 * Decodes one token on a cache: its keys and values are appended to every layer and KV head at its true position. Then the
 * policy, if there is one, decides what goes; forks of the cache do not see it.
 *
 * @returns the logits of the next token: [vocab]
 * @throws KvError `invalid_token`, `prompt_too_long` (the model's context is full), `wrong_model`, `disposed`, `invalid_option`,
 *   `observation_missing` (a policy that begins with what prefill did not observe)
 */
export async function step(
  model: Model,
  cache: KvCache,
  token: number,
  options: StepOptions = {},
): Promise<Float32Array> {
  const { evict } = checked(stepSchema, options, "step");
  assertDecodable(model, cache);
  const { vocabSize, contextLength } = model.config;
  if (!Number.isInteger(token) || token < 0 || token >= vocabSize) {
    throw new KvError({
      code: "invalid_token",
      path: ["step", "token"],
      found: token,
      allowed: `a token id in [0, ${vocabSize})`,
    });
  }
  if (isFull(model, cache, evict)) {
    throw new KvError({
      code: "prompt_too_long",
      path: ["cache", "length"],
      found: cache.length,
      allowed: `below the model's context of ${contextLength}`,
    });
  }
  await decode(model.engine, [{ token, cache, evict }]);
  return cache.logits;
}

/** A batch of one without the index. */
async function* alone(
  source: AsyncGenerator<IndexedToken, readonly Generated[]>,
): AsyncGenerator<GeneratedToken, Generated> {
  try {
    for (;;) {
      const step = await source.next();
      if (step.done === true) return only(step.value);
      const { token, text } = step.value;
      yield { token, text };
    }
  } finally {
    await source.return([]);
  }
}

function only([result]: readonly Generated[]): Generated {
  if (result === undefined) throw new RangeError("a run without sequences has no result");
  return result;
}
