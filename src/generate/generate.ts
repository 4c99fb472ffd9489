/** The third stage: decoding on a cache, full or compressed, token by token. */
import { z } from "zod";
import type { KvCache } from "../cache/cache.ts";
import { KvError } from "../error.ts";
import type { Model } from "../load.ts";
import { checked } from "../options.ts";
import { type Replay, replay } from "./replay.ts";
import { sampler } from "./sampling.ts";
import { type TextStream, textStream } from "./text.ts";

export interface GenerateOptions {
  /** Default 128. Fewer come if the model stops, or its context ends. */
  readonly maxNewTokens?: number;
  /** 0 (default) is greedy. */
  readonly temperature?: number;
  /** Draw from this many most likely tokens; 0 (default) sets no limit. */
  readonly topK?: number;
  /** Draw from the fewest tokens that reach this share of probability; 1 (default) sets no limit. */
  readonly topP?: number;
  /** Of the random draws; default 0. */
  readonly seed?: number;
  /** Tokens that end the generation and are not given; default: the model's. [] lets it run on. */
  readonly stopTokens?: readonly number[];
  /** Texts that end the generation and are not part of it. */
  readonly stopStrings?: readonly string[];
  readonly signal?: AbortSignal;
}

/** Why a generation ended: a stop token or string, `maxNewTokens`, the end of the model's context, or a reader that left. */
export type FinishReason = "stop" | "length" | "context" | "left";

export interface Generated {
  /** Special tokens are left out; "" for a model without tokenizer. */
  readonly text: string;
  /** Every generated token but the stop token. */
  readonly tokens: readonly number[];
  readonly finishReason: FinishReason;
  /** Of the random draws. */
  readonly seed: number;
}

export interface GeneratedToken {
  readonly token: number;
  /** The text that this token made certain: may be "" or belong to several tokens. */
  readonly text: string;
}

const Schema = z.object({
  maxNewTokens: z.int("an integer >= 0").min(0, "an integer >= 0").default(128),
  temperature: z.number("a number >= 0").min(0, "a number >= 0").default(0),
  topK: z.int("an integer >= 0").min(0, "an integer >= 0").default(0),
  topP: z.number("a number in (0, 1]").gt(0, "a number in (0, 1]").max(1, "a number in (0, 1]").default(1),
  seed: z.int("an integer").default(0),
  stopTokens: z.array(z.int("a token id").min(0, "a token id"), "a list of token ids").optional(),
  stopStrings: z.array(z.string("a text").min(1, "a text that is not empty"), "a list of texts").default([]),
});

/**
 * Continues a cache. `await` it for the whole result, or `for await` its tokens as they come; leaving that loop ends it.
 *
 * The first token comes from the logits the cache carries, those of the prompt's last token, so a one-token answer says
 * nothing about a compression method. The cache stays as it is: generation runs on a fork.
 *
 * @throws KvError `invalid_option`, `aborted`, `disposed`, `wrong_model`
 */
export function generate(
  model: Model,
  cache: KvCache,
  options: GenerateOptions = {},
): Replay<GeneratedToken, Generated> {
  const run = new Run(model, options);
  return replay(run.tokens(cache), () => run.result("left"));
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

class Run {
  readonly #model: Model;
  readonly #options: GenerateOptions;
  readonly #tokens: number[] = [];
  #text = "";

  constructor(model: Model, options: GenerateOptions) {
    this.#model = model;
    this.#options = options;
  }

  result(finishReason: FinishReason): Generated {
    return { text: this.#text, tokens: [...this.#tokens], finishReason, seed: this.#options.seed ?? 0 };
  }

  async *tokens(original: KvCache): AsyncGenerator<GeneratedToken, Generated> {
    const { signal } = this.#options;
    const { maxNewTokens, stopTokens, stopStrings, ...sampling } = checked(Schema, this.#options, "generate");
    assertDecodable(this.#model, original);
    const text = this.#textStream(stopStrings);
    const sample = sampler(sampling);
    const stops = new Set(stopTokens ?? this.#model.config.eosTokens);
    using cache = original.fork();
    for (let i = 0; i < maxNewTokens; i++) {
      if (signal?.aborted === true) throw aborted(signal);
      const token = sample(cache.logits);
      if (stops.has(token)) return this.#finish(text, "stop");
      this.#tokens.push(token);
      const piece = text?.push(token) ?? { text: "", stopped: false };
      this.#text += piece.text;
      yield { token, text: piece.text };
      if (piece.stopped) return this.result("stop");
      if (i + 1 === maxNewTokens) break;
      if (cache.length >= this.#model.config.contextLength) return this.#finish(text, "context");
      await this.#model.engine.step([{ token, cache }]);
    }
    return this.#finish(text, "length");
  }

  #finish(text: TextStream | null, reason: FinishReason): Generated {
    const rest = text?.end() ?? { text: "", stopped: false };
    this.#text += rest.text;
    return this.result(rest.stopped ? "stop" : reason);
  }

  #textStream(stopStrings: readonly string[]): TextStream | null {
    const { tokenizer } = this.#model;
    if (tokenizer !== null) return textStream(tokenizer, stopStrings);
    if (stopStrings.length === 0) return null;
    throw new KvError({
      code: "tokenizer_missing",
      path: ["generate", "stopStrings"],
      found: stopStrings,
      allowed: "[] for a model without tokenizer",
    });
  }
}

function assertDecodable(model: Model, cache: KvCache): void {
  if (cache.model === model.id && cache.geometry.layers === model.config.layers) return;
  throw new KvError({
    code: "wrong_model",
    path: ["cache", "model"],
    found: cache.model,
    allowed: `the model in use, ${model.id}`,
  });
}

const aborted = (signal: AbortSignal) =>
  new KvError({
    code: "aborted",
    path: ["generate", "signal"],
    found: "aborted",
    allowed: "not aborted",
    cause: signal.reason,
  });
