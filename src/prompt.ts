/** A prompt as token ids that the model can take. */
import { KvError } from "./error.ts";
import type { Model } from "./load.ts";

/**
 * The prompt's tokens, as a copy.
 *
 * @throws KvError `empty_prompt`, `prompt_too_long`, `invalid_token`, `tokenizer_missing`, `invalid_option`
 */
export function tokensOf({ tokenizer, config }: Model, prompt: string | Int32Array): Int32Array {
  if (typeof prompt !== "string" && !(prompt instanceof Int32Array)) {
    const found = Object.prototype.toString.call(prompt);
    const allowed = "a string or an Int32Array of token ids";
    throw new KvError({ code: "invalid_option", path: ["prompt"], found, allowed });
  }
  const tokens = typeof prompt === "string" ? encode(tokenizer, prompt) : prompt.slice(); // the context never changes
  if (tokens.length === 0)
    throw new KvError({ code: "empty_prompt", path: ["prompt"], found: "no tokens", allowed: "at least one token" });
  if (tokens.length > config.contextLength) {
    throw new KvError({
      code: "prompt_too_long",
      path: ["prompt"],
      found: `${tokens.length} tokens`,
      allowed: `at most the model's context of ${config.contextLength}`,
    });
  }
  const wrong = tokens.findIndex((token) => token < 0 || token >= config.vocabSize);
  if (wrong >= 0)
    throw new KvError({
      code: "invalid_token",
      path: ["prompt", wrong],
      found: tokens[wrong],
      allowed: `a token id in [0, ${config.vocabSize})`,
    });
  return tokens;
}

function encode(tokenizer: Model["tokenizer"], text: string): Int32Array {
  if (tokenizer !== null) return tokenizer.encode(text);
  throw new KvError({
    code: "tokenizer_missing",
    path: ["prompt"],
    found: "text",
    allowed: "token ids (an Int32Array)",
    hint: "the model's folder has no tokenizer.json",
  });
}
