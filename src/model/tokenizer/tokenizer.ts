/** Text to tokens and back, through Hugging Face's JavaScript tokenizers; from tokenizer.json or from GGUF metadata. */

import { ByteFallbackDecoder, Tokenizer as Library, SequenceDecoder } from "@huggingface/tokenizers";
import { KvError } from "../../error.ts";
import { type ChatMessage, type ChatTemplate, renderChat } from "./chat.ts";

export interface Tokenizer {
  /**
   * The token ids of `text`; special tokens are recognised where they are written out.
   *
   * @param options.addSpecialTokens adds the beginning-of-sequence token where the model wants one and the text does not begin
   *   with it, as what `chat` gives may; default true
   */
  encode(text: string, options?: { readonly addSpecialTokens?: boolean }): Int32Array<ArrayBuffer>;
  /**
   * The text of `tokens`. Bytes that are not UTF-8, such as half a character, become U+FFFD: use `streamDecoder` to decode
   * tokens as they come.
   *
   * @param options.skipSpecialTokens leaves them out; default false
   * An id beyond the vocabulary has no text: embedding tables are often padded with such rows, and a model may choose one.
   *
   * @throws KvError `invalid_token` for what is no id at all
   */
  decode(tokens: ArrayLike<number>, options?: { readonly skipSpecialTokens?: boolean }): string;
  /**
   * The conversation in the model's own format.
   *
   * @param options.addGenerationPrompt ends with the opening of the assistant's turn; default true
   * @throws KvError `template_failed`, also where the model's files have no template
   */
  chat(messages: readonly ChatMessage[], options?: { readonly addGenerationPrompt?: boolean }): string;
}

/** What both sources are turned into. */
export interface TokenizerParts {
  /** As in tokenizer.json. */
  readonly definition: object;
  /** As in tokenizer_config.json. */
  readonly config: object;
  /** Put before every text; where `definition` has a post-processor that does so, null. */
  readonly bosToken: number | null;
  readonly template: ChatTemplate | null;
  /** The file, for messages. */
  readonly path: string;
}

/** @throws KvError `corrupt_file` when the library can't make sense of the parts */
export function createTokenizer({ definition, config, bosToken, template, path }: TokenizerParts): Tokenizer {
  const library = attempt(path, () => new Library(definition, config));
  keepByteOrderMarks(library);
  const [opening = bosToken] = attempt(path, () => library.encode("", { add_special_tokens: true })).ids;
  return {
    encode(text, { addSpecialTokens = true } = {}) {
      const { ids } = attempt(path, () => library.encode(text, { add_special_tokens: addSpecialTokens }));
      // The library gives undefined for a piece that neither the vocabulary nor an unknown token covers.
      const unknown = ids.findIndex((id) => !Number.isInteger(id));
      if (unknown !== -1) throw corrupt(path, "a piece of text without a token", "able to encode any text");
      const all = addSpecialTokens && bosToken !== null ? [bosToken, ...ids] : ids;
      const doubled = addSpecialTokens && all.length > 1 && all[0] === opening && all[1] === opening;
      return Int32Array.from(doubled ? all.slice(1) : all);
    },
    decode(tokens, { skipSpecialTokens = false } = {}) {
      const ids = Array.from(tokens);
      const wrong = ids.find((id) => !Number.isInteger(id) || id < 0);
      if (wrong !== undefined) {
        throw new KvError({
          code: "invalid_token",
          path: ["tokens"],
          found: wrong,
          allowed: "a token id: an integer >= 0",
        });
      }
      const known = ids.filter((id) => library.id_to_token(id) !== undefined);
      return known.length === 0 ? "" : library.decode(known, { skip_special_tokens: skipSpecialTokens });
    },
    chat(messages, { addGenerationPrompt = true } = {}) {
      if (template) return renderChat(template, messages, addGenerationPrompt);
      const allowed = "there, for a conversation";
      throw new KvError({ code: "template_failed", path: [path, "chat_template"], found: "absent", allowed });
    },
  };
}

/** A byte order mark is a character like any other, but the library's decoder of byte tokens drops it. */
function keepByteOrderMarks({ decoder }: Library): void {
  for (const step of decoder instanceof SequenceDecoder ? decoder.decoders : [decoder]) {
    if (step instanceof ByteFallbackDecoder) step.text_decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  }
}

function attempt<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (cause) {
    throw corrupt(path, cause instanceof Error ? cause.message : String(cause), "a tokenizer definition", cause);
  }
}

const corrupt = (path: string, found: string, allowed: string, cause?: unknown): KvError =>
  new KvError({ code: "corrupt_file", path: [path], found, allowed, cause });
