/** The tokenizer of a GGUF file: its metadata, put into the form of tokenizer.json. */

import { parseWith } from "../open-json.ts";
import type { GgufMetadata } from "../weights/gguf-header.ts";
import { byteLevel } from "./gguf-bytes.ts";
import { GgufVocabulary, type TokenizerKind, tokenType, unsupported } from "./gguf-metadata.ts";
import { sentencePiece } from "./gguf-pieces.ts";
import { createTokenizer, type Tokenizer } from "./tokenizer.ts";

const prefix = "tokenizer.ggml.";

/** By `tokenizer.ggml.model`. */
const kinds: ReadonlyMap<string, (vocabulary: GgufVocabulary, path: string) => TokenizerKind> = new Map([
  ["gpt2", byteLevel],
  ["llama", sentencePiece],
]);

/**
 * null where the metadata have no tokenizer.
 *
 * @throws KvError `unsupported_format` (a kind of tokenizer or pre-tokenizer that is not known here), `corrupt_file`
 */
export function ggufTokenizer(all: GgufMetadata, path: string): Tokenizer | null {
  const own = [...all]
    .filter(([key]) => key.startsWith(prefix))
    .map(([key, value]) => [key.slice(prefix.length), value]);
  if (own.length === 0) return null;
  const given = parseWith(GgufVocabulary, Object.fromEntries(own), "corrupt_file", `${path}: tokenizer.ggml`);
  const make = kinds.get(given.model);
  if (!make) throw unsupported(path, "model", given.model, `one of ${[...kinds.keys()].join(", ")}`);
  const { bos, specialIds, ...parts } = make(given, path);
  const vocabulary = { ...specialIds, ...given };

  const source = all.get("tokenizer.chat_template");
  return createTokenizer({
    definition: { ...parts, post_processor: null, added_tokens: addedTokens(vocabulary) },
    config: { clean_up_tokenization_spaces: false },
    bosToken: (vocabulary.add_bos_token ?? bos) ? (vocabulary.bos_token_id ?? null) : null,
    template: typeof source === "string" ? { source, specialTokens: specialTokens(vocabulary) } : null,
    path,
  });
}

/** The tokens that are matched as a whole wherever they are written. */
function addedTokens({ tokens, token_type: types = [] }: GgufVocabulary): object[] {
  const matched: readonly (number | undefined)[] = [tokenType.control, tokenType.unknown, tokenType.userDefined];
  return tokens.flatMap((content, id) => {
    const special = types[id] !== tokenType.userDefined;
    const fits = content.length > 0 && content.length <= 1000;
    return matched.includes(types[id]) && fits ? [{ id, content, special, normalized: false }] : [];
  });
}

function specialTokens({ tokens, ...vocabulary }: GgufVocabulary): Record<string, string> {
  const ids = {
    bos_token: vocabulary.bos_token_id,
    eos_token: vocabulary.eos_token_id,
    unk_token: vocabulary.unknown_token_id,
    pad_token: vocabulary.padding_token_id,
  };
  return Object.fromEntries(
    Object.entries(ids).flatMap(([name, id]) => {
      const text = id === undefined ? undefined : tokens[id];
      return text === undefined ? [] : [[name, text]];
    }),
  );
}
