/** The third stage: decoding on a cache, full or compressed, token by token. */
import type { KvCache } from "../cache/cache.ts";
import { KvError } from "../error.ts";
import type { Model } from "../load.ts";
import type { GenerateOptions } from "./options.ts";
import { type Replay, replay } from "./replay.ts";
import { assertDecodable, type Generated, type GeneratedToken, Run } from "./run.ts";

export type { GenerateOptions } from "./options.ts";
export type { FinishReason, Generated, GeneratedToken } from "./run.ts";

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
  return replay(run.tokens(cache, options), () => run.result("left"));
}

/**
 * Decodes one token on a cache: its keys and values are appended to every layer and KV head at its true position.
 *
 * @returns the logits of the next token: [vocab]
 * @throws KvError `invalid_token`, `prompt_too_long` (the model's context is full), `wrong_model`, `disposed`
 */
export async function step(model: Model, cache: KvCache, token: number): Promise<Float32Array> {
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
  if (cache.length >= contextLength) {
    throw new KvError({
      code: "prompt_too_long",
      path: ["cache", "length"],
      found: cache.length,
      allowed: `below the model's context of ${contextLength}`,
    });
  }
  const [logits] = await model.engine.step([{ token, cache }]);
  return logits ?? cache.logits;
}
