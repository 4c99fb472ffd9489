/** The tokenizer of a GGUF file: its metadata, put into the form of tokenizer.json. Byte-level BPE only. */

import { z } from "zod";
import { KvError } from "../error.ts";
import type { GgufMetadata } from "./gguf-header.ts";
import { parseWith } from "./open-json.ts";
import { createTokenizer, type Tokenizer } from "./tokenizer.ts";

/** llama.cpp's token types that are matched as a whole wherever they are written. */
const control = 3;
const userDefined = 4;

const prefix = "tokenizer.ggml.";
const id = z.int().nonnegative().optional();

const Metadata = z.object({
  model: z.string(),
  pre: z.string().default("default"),
  tokens: z
    .array(z.string())
    .min(1)
    .max(1 << 22),
  token_type: z.array(z.int()).optional(),
  merges: z.array(z.string()).default([]),
  add_bos_token: z.boolean().optional(),
  bos_token_id: id,
  eos_token_id: id,
  unknown_token_id: id,
  padding_token_id: id,
});
type Metadata = z.output<typeof Metadata>;

/** How text is cut before merging, for a value of `tokenizer.ggml.pre`. */
interface Cut {
  readonly patterns: readonly string[];
  /** A piece that is itself a token is not merged up from bytes. */
  readonly wholePieces: boolean;
  readonly bos: boolean;
}

const gpt2Words = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";
const llama3Words =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

const gpt2: Cut = { patterns: [gpt2Words], wholePieces: false, bos: false };
const singleDigits: Cut = { patterns: ["\\p{N}", gpt2Words], wholePieces: false, bos: false };
const llama3: Cut = { patterns: [llama3Words], wholePieces: true, bos: true };

const cuts: ReadonlyMap<string, Cut> = new Map([
  ["gpt-2", gpt2],
  ["smollm", singleDigits],
  ["starcoder", singleDigits],
  ["llama-bpe", llama3],
  ["llama3", llama3],
  ["llama-v3", llama3],
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
  const metadata = parseWith(Metadata, Object.fromEntries(own), "corrupt_file", `${path}: tokenizer.ggml`);
  const cut = cuts.get(metadata.pre);
  if (metadata.model !== "gpt2") throw unsupported(path, "tokenizer.ggml.model", metadata.model, ["gpt2"]);
  if (!cut) throw unsupported(path, "tokenizer.ggml.pre", metadata.pre, [...cuts.keys()]);

  const source = all.get("tokenizer.chat_template");
  return createTokenizer({
    definition: definition(metadata, cut),
    config: { clean_up_tokenization_spaces: false },
    bosToken: (metadata.add_bos_token ?? cut.bos) ? (metadata.bos_token_id ?? null) : null,
    template: typeof source === "string" ? { source, specialTokens: specialTokens(metadata) } : null,
    path,
  });
}

function definition({ tokens, token_type: types = [], merges }: Metadata, cut: Cut): object {
  const splits = cut.patterns.map((Regex) => ({
    type: "Split",
    pattern: { Regex },
    behavior: "Isolated",
    invert: false,
  }));
  return {
    added_tokens: tokens.flatMap((content, id) => {
      const type = types[id];
      const matched = (type === control || type === userDefined) && content.length > 0 && content.length <= 1000;
      return matched ? [{ id, content, special: type === control, normalized: false }] : [];
    }),
    normalizer: null,
    pre_tokenizer: {
      type: "Sequence",
      pretokenizers: [...splits, { type: "ByteLevel", add_prefix_space: false, use_regex: false }],
    },
    post_processor: null,
    decoder: { type: "ByteLevel" },
    model: {
      type: "BPE",
      // Not a literal: a token may be called __proto__.
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
      merges,
      ignore_merges: cut.wholePieces,
    },
  };
}

function specialTokens({ tokens, ...metadata }: Metadata): Record<string, string> {
  const ids = {
    bos_token: metadata.bos_token_id,
    eos_token: metadata.eos_token_id,
    unk_token: metadata.unknown_token_id,
    pad_token: metadata.padding_token_id,
  };
  return Object.fromEntries(
    Object.entries(ids).flatMap(([name, id]) => {
      const text = id === undefined ? undefined : tokens[id];
      return text === undefined ? [] : [[name, text]];
    }),
  );
}

const unsupported = (path: string, place: string, found: string, allowed: readonly string[]): KvError =>
  new KvError({ code: "unsupported_format", path: [path, place], found, allowed: `one of ${allowed.join(", ")}` });
