/** Byte-level BPE in GGUF, `tokenizer.ggml.model` "gpt2": the merges are there, how text is cut before is known by name. */

import { type GgufVocabulary, idsByToken, type TokenizerKind, unsupported } from "./gguf-metadata.ts";

/** How text is cut before merging. */
interface Cut {
  /** One after the other; what a pattern matches is a piece, and so is what lies between two matches. */
  readonly patterns: readonly string[];
  /** A piece that is itself a token is not merged up from bytes. */
  readonly wholePieces?: boolean;
  readonly bos?: boolean;
  /** Text is brought into Unicode's composed form first; llama.cpp leaves that out, the model's own tokenizer doesn't. */
  readonly composed?: boolean;
}

const blanks = "\\s+(?!\\S)|\\s+";
const contractions = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
const symbols = " ?[^\\s\\p{L}\\p{N}]+";

const gpt2Words = `'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+|${symbols}|${blanks}`;
const contractedWords = (numbers: string) =>
  `${contractions}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|${numbers}|${symbols}[\\r\\n]*|\\s*[\\r\\n]+|${blanks}`;
const [upper, lower] = ["[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]", "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]"];
const casedWords = [
  `[^\\r\\n\\p{L}\\p{N}]?${upper}*${lower}+`,
  `[^\\r\\n\\p{L}\\p{N}]?${upper}+${lower}*`,
  `\\p{N}|${symbols}[\\r\\n/]*|\\s*[\\r\\n]+|${blanks}`,
].join("|");

const gpt2: Cut = { patterns: [gpt2Words] };
const singleDigits: Cut = { patterns: ["\\p{N}", gpt2Words] };
const llama3: Cut = { patterns: [contractedWords("\\p{N}{1,3}")], wholePieces: true, bos: true };

/**
 * By `tokenizer.ggml.pre`, the patterns as in the models' own tokenizer.json; "default" as in llama.cpp. A file without one
 * is refused, because any guess makes other tokens than the model was trained on.
 *
 * @see https://github.com/ggml-org/llama.cpp/blob/master/src/llama-vocab.cpp
 */
const cuts: ReadonlyMap<string, Cut> = new Map([
  ["gpt-2", gpt2],
  ["default", { patterns: ["[\\p{P}\\$\\+<=>\\^~\\|]+", gpt2Words, "\\p{N}+", "[0-9][0-9][0-9]"] }],
  ["smollm", singleDigits],
  ["starcoder", singleDigits],
  ["llama-bpe", llama3],
  ["llama3", llama3],
  ["llama-v3", llama3],
  ["qwen2", { patterns: [contractedWords("\\p{N}")], composed: true }],
  ["tekken", { patterns: [casedWords], wholePieces: true, bos: true }],
]);

/** @throws KvError `unsupported_format` for a way to cut text that is not known here */
export function byteLevel({ tokens, merges, pre }: GgufVocabulary, path: string): TokenizerKind {
  const cut = cuts.get(pre);
  if (!cut) throw unsupported(path, "pre", pre, `one of ${[...cuts.keys()].join(", ")}`);
  const splits = cut.patterns.map((Regex) => ({
    type: "Split",
    pattern: { Regex },
    behavior: "Isolated",
    invert: false,
  }));
  return {
    normalizer: cut.composed ? { type: "NFC" } : null,
    pre_tokenizer: {
      type: "Sequence",
      pretokenizers: [...splits, { type: "ByteLevel", add_prefix_space: false, use_regex: false }],
    },
    decoder: { type: "ByteLevel" },
    model: { type: "BPE", vocab: idsByToken(tokens), merges, ignore_merges: cut.wholePieces ?? false },
    bos: cut.bos ?? false,
    specialIds: {},
  };
}
