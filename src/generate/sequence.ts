/** One sequence that is being generated: what comes of its logits, and why it ends. */
import type { KvCache } from "../cache/cache.ts";
import type { DecodingPolicy } from "../decoding/policy.ts";
import type { Model } from "../load.ts";
import { assertDecodable, isFull } from "./decodable.ts";
import type { DrawingStep } from "./decode.ts";
import type { CheckedOptions } from "./options.ts";
import { drawsFor, sampled } from "./sampling.ts";
import { noText, type TextStream, textStream } from "./text.ts";

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
  /** What evicted while decoding, and its options; null if nothing did. */
  readonly evict: Pick<DecodingPolicy, "name" | "options"> | null;
}

export interface GeneratedToken {
  readonly token: number;
  /** The text that this token made certain: may be "" or belong to several tokens. All of them, joined, are the whole text. */
  readonly text: string;
}

export class Sequence implements Disposable {
  readonly #model: Model;
  readonly #options: CheckedOptions;
  readonly #draws: () => number;
  readonly #stream: TextStream;
  readonly #stops: ReadonlySet<number>;
  readonly #cache: KvCache;
  readonly #tokens: number[] = [];
  #text = "";
  /** The draw of the next token, once it was asked for. */
  #draw: number | null = null;
  #reason: FinishReason | null = null;
  /** How many of the tokens, and how much of the text, were given to readers. */
  #given = { tokens: 0, text: 0 };

  /** Continues a fork of `original`. @throws KvError `wrong_model`, `disposed`, `tokenizer_missing` */
  constructor(model: Model, original: KvCache, options: CheckedOptions) {
    const { tokenizer, config } = model;
    assertDecodable(model, original);
    this.#model = model;
    this.#options = options;
    this.#stream = tokenizer === null ? noText(options.stopStrings) : textStream(tokenizer, options.stopStrings);
    this.#draws = drawsFor(options);
    this.#stops = new Set(options.stopTokens ?? config.eosTokens);
    this.#cache = original.fork();
  }

  get ended(): boolean {
    return this.#reason !== null;
  }

  result(): Generated {
    const { seed, evict } = this.#options;
    return {
      text: this.#text,
      tokens: [...this.#tokens],
      finishReason: this.#reason ?? "left",
      seed,
      evict: evict === undefined ? null : { name: evict.name, options: evict.options },
    };
  }

  /** The token to decode before the next can be sampled; none before the first, whose logits the cache carries. */
  get pending(): DrawingStep | null {
    const token = this.#tokens.at(-1);
    if (token === undefined) return null;
    const { evict } = this.#options;
    return { token, cache: this.#cache, evict, draw: this.#isEarly ? null : this.#nextDraw };
  }

  /** Ends a sequence that has all its tokens. */
  *endIfComplete(): Generator<GeneratedToken> {
    if (this.#tokens.length >= this.#options.maxNewTokens) yield* this.#end("length");
  }

  /** Ends a sequence whose last token has no room in the model's context. */
  *endIfFull(): Generator<GeneratedToken> {
    if (this.#tokens.length > 0 && isFull(this.#model, this.#cache, this.#options.evict)) yield* this.#end("context");
  }

  /** Takes the next token. @param drawn by the engine; null for one that is to be sampled from the cache's logits */
  *advance(drawn: number | null = null): Generator<GeneratedToken> {
    const token = drawn ?? sampled(this.#allowed(this.#cache.logits), this.#options, this.#nextDraw);
    this.#draw = null;
    if (this.#stops.has(token)) return yield* this.#end("stop");
    this.#tokens.push(token);
    const piece = this.#stream.push(token);
    this.#text += piece.text;
    if (piece.stopped || piece.settled) yield* this.#fresh();
    if (piece.stopped) this.#close("stop");
  }

  get #nextDraw(): number {
    this.#draw ??= this.#draws();
    return this.#draw;
  }

  /** Whether it is too early for a stop token. */
  get #isEarly(): boolean {
    return this.#tokens.length < this.#options.minNewTokens;
  }

  /** The logits, without those of stop tokens while it is too early for one. */
  #allowed(logits: Float32Array): Float32Array {
    if (!this.#isEarly) return logits;
    const others = logits.slice();
    for (const stop of this.#stops) if (stop < others.length) others[stop] = Number.NEGATIVE_INFINITY;
    return others;
  }

  /** Lets the fork go. */
  [Symbol.dispose](): void {
    this.#cache[Symbol.dispose]();
  }

  *#end(reason: FinishReason): Generator<GeneratedToken> {
    const rest = this.#stream.end();
    this.#text += rest.text;
    yield* this.#fresh();
    this.#close(rest.stopped ? "stop" : reason);
  }

  #close(reason: FinishReason): void {
    this.#reason = reason;
    this[Symbol.dispose]();
  }

  /** Tokens not given yet, the text with the last of them: what is given, joined, is the whole text. */
  *#fresh(): Generator<GeneratedToken> {
    const tokens = this.#tokens.slice(this.#given.tokens);
    const text = this.#text.slice(this.#given.text);
    this.#given = { tokens: this.#tokens.length, text: this.#text.length };
    for (const [i, token] of tokens.entries()) yield { token, text: i === tokens.length - 1 ? text : "" };
  }
}
