/** One generation: the loop from logits to token to logits, and what has come of it so far. */
import type { KvCache } from "../cache/cache.ts";
import type { CacheGeometry } from "../cache/layer.ts";
import { KvError } from "../error.ts";
import { identityOf, type Model } from "../load.ts";
import { checked } from "../options.ts";
import { type GenerateOptions, generateSchema } from "./options.ts";
import { sampler } from "./sampling.ts";
import { type TextStream, textStream } from "./text.ts";

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
  /** The text that this token made certain: may be "" or belong to several tokens. All of them, joined, are the whole text. */
  readonly text: string;
}

export class Run {
  readonly #model: Model;
  readonly #tokens: number[] = [];
  #text = "";
  #seed = 0;
  /** How many of the tokens, and how much of the text, were given to readers. */
  #given = { tokens: 0, text: 0 };

  constructor(model: Model) {
    this.#model = model;
  }

  result(finishReason: FinishReason): Generated {
    return { text: this.#text, tokens: [...this.#tokens], finishReason, seed: this.#seed };
  }

  async *tokens(original: KvCache, options: GenerateOptions): AsyncGenerator<GeneratedToken, Generated> {
    const { maxNewTokens, stopTokens, stopStrings, signal, ...sampling } = checked(generateSchema, options, "generate");
    this.#seed = sampling.seed;
    const { engine, config, tokenizer } = this.#model;
    assertDecodable(this.#model, original);
    const text = tokenizer === null ? noText(stopStrings) : textStream(tokenizer, stopStrings);
    const sample = sampler(sampling);
    const stops = new Set(stopTokens ?? config.eosTokens);
    using cache = original.fork();
    let reason: FinishReason = "length";
    for (let last: number | null = null; this.#tokens.length < maxNewTokens; ) {
      if (signal?.aborted === true) throw aborted(signal);
      if (last !== null && cache.length >= config.contextLength) {
        reason = "context";
        break;
      }
      if (last !== null) await engine.step([{ token: last, cache }]);
      last = sample(cache.logits);
      if (stops.has(last)) {
        reason = "stop";
        break;
      }
      this.#tokens.push(last);
      const piece = text.push(last);
      this.#text += piece.text;
      if (piece.stopped || piece.settled) yield* this.#fresh();
      if (piece.stopped) return this.result("stop");
    }
    const rest = text.end();
    this.#text += rest.text;
    yield* this.#fresh();
    return this.result(rest.stopped ? "stop" : reason);
  }

  /** Tokens not given yet, the text with the last of them: what is given, joined, is the whole text. */
  *#fresh(): Generator<GeneratedToken> {
    const tokens = this.#tokens.slice(this.#given.tokens);
    const text = this.#text.slice(this.#given.text);
    this.#given = { tokens: this.#tokens.length, text: this.#text.length };
    for (const [i, token] of tokens.entries()) yield { token, text: i === tokens.length - 1 ? text : "" };
  }
}

/** @throws KvError `wrong_model` if the cache is not this model's, `disposed` */
export function assertDecodable(model: Model, cache: KvCache): void {
  const found = shape(cache.model, cache.geometry);
  const allowed = shape(identityOf(model), model.config);
  if (found === allowed) return;
  throw new KvError({ code: "wrong_model", path: ["cache", "model"], found, allowed: `the model in use, ${allowed}` });
}

const shape = (model: string, { layers, kvHeads, headDim }: CacheGeometry): string =>
  `${model} (${layers} layers, ${kvHeads} KV heads of ${headDim})`;

const aborted = (signal: AbortSignal) =>
  new KvError({
    code: "aborted",
    path: ["generate", "signal"],
    found: "aborted",
    allowed: "not aborted",
    cause: signal.reason,
  });

/** For a model without tokenizer: no text, and none to stop at. */
function noText(stops: readonly string[]): TextStream {
  if (stops.length > 0) {
    throw new KvError({
      code: "tokenizer_missing",
      path: ["generate", "stopStrings"],
      found: stops,
      allowed: "[] for a model without tokenizer",
    });
  }
  const nothing = { text: "", stopped: false, settled: true };
  return { push: () => nothing, end: () => nothing };
}
