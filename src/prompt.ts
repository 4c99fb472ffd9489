/** A prompt as token ids that the model can take, whole or in pieces. */
import { KvError } from "./error.ts";
import type { Model } from "./load.ts";
import type { ModelConfig } from "./model/config.ts";
import type { PromptText } from "./scoring/probe.ts";

/** A prompt as tokens and what they say, for scores and probes that look at text. */
export const promptText = ({ tokenizer }: Model, tokens: Int32Array): PromptText => ({
  tokens,
  text: tokenizer && ((token) => tokenizer.decode([token])),
  encode: tokenizer && ((text) => tokenizer.encode(text, { addSpecialTokens: false })),
});

/** A prompt that comes piece by piece and is never in memory as a whole. */
export type TokenPieces = Iterable<Int32Array> | AsyncIterable<Int32Array>;

/**
 * The prompt's tokens, as a copy.
 *
 * @throws KvError `empty_prompt`, `prompt_too_long`, `invalid_token`, `tokenizer_missing`, `invalid_option`
 */
export function tokensOf({ tokenizer, config }: Model, prompt: string | Int32Array): Int32Array {
  if (typeof prompt !== "string" && !(prompt instanceof Int32Array))
    throw notTokens(["prompt"], prompt, "a string or an Int32Array of token ids");
  const tokens = typeof prompt === "string" ? encode(tokenizer, prompt) : prompt.slice(); // the context never changes
  if (tokens.length === 0) throw noTokens();
  checkTokens(config, tokens, 0);
  return tokens;
}

/**
 * The tokens of a text that goes on where an earlier one ended, as a copy: none that marks a beginning is added.
 *
 * @param before tokens of the sequence so far
 * @throws KvError `empty_prompt`, `prompt_too_long`, `invalid_token`, `tokenizer_missing`, `invalid_option`
 */
export function continuationOf({ tokenizer, config }: Model, more: string | Int32Array, before: number): Int32Array {
  if (typeof more !== "string" && !(more instanceof Int32Array))
    throw notTokens(["prompt"], more, "a string or an Int32Array of token ids");
  const tokens = typeof more === "string" ? encode(tokenizer, more, { addSpecialTokens: false }) : more.slice();
  if (tokens.length === 0) throw noTokens();
  checkTokens(config, tokens, before);
  return tokens;
}

export const isPieces = (prompt: string | Int32Array | TokenPieces): prompt is TokenPieces =>
  prompt instanceof Object &&
  !(prompt instanceof Int32Array) &&
  (Symbol.iterator in prompt || Symbol.asyncIterator in prompt);

/**
 * The tokens of a prompt that comes piece by piece, as copies; each is checked as it comes.
 *
 * @throws KvError `empty_prompt` at the end, `prompt_too_long`, `invalid_token`, `invalid_option`
 */
export async function* tokenPieces({ config }: Model, pieces: TokenPieces): AsyncGenerator<Int32Array> {
  let [index, total] = [0, 0];
  for await (const piece of pieces) {
    if (!(piece instanceof Int32Array)) throw notTokens(["prompt", index], piece, "an Int32Array of token ids");
    checkTokens(config, piece, total);
    yield piece.slice();
    index++;
    total += piece.length;
  }
  if (total === 0) throw noTokens();
}

/** @param before tokens of the prompt before these */
function checkTokens({ contextLength, vocabSize }: ModelConfig, tokens: Int32Array, before: number): void {
  const length = before + tokens.length;
  if (length > contextLength) {
    throw new KvError({
      code: "prompt_too_long",
      path: ["prompt"],
      found: before === 0 ? `${length} tokens` : `${length} tokens or more`,
      allowed: `at most the model's context of ${contextLength}`,
    });
  }
  const wrong = tokens.findIndex((token) => token < 0 || token >= vocabSize);
  if (wrong < 0) return;
  const allowed = `a token id in [0, ${vocabSize})`;
  throw new KvError({ code: "invalid_token", path: ["prompt", before + wrong], found: tokens[wrong], allowed });
}

const noTokens = () =>
  new KvError({ code: "empty_prompt", path: ["prompt"], found: "no tokens", allowed: "at least one token" });

function notTokens(path: readonly (string | number)[], value: unknown, allowed: string): KvError {
  return new KvError({ code: "invalid_option", path, found: Object.prototype.toString.call(value), allowed });
}

function encode(
  tokenizer: Model["tokenizer"],
  text: string,
  options?: { readonly addSpecialTokens: boolean },
): Int32Array {
  if (tokenizer !== null) return tokenizer.encode(text, options);
  throw new KvError({
    code: "tokenizer_missing",
    path: ["prompt"],
    found: "text",
    allowed: "token ids (an Int32Array)",
    hint: "the model's folder has no tokenizer.json",
  });
}
