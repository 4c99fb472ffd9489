/** A byte-level BPE of 263 tokens, made by way of GGUF metadata or of tokenizer.json. */

import { diskFolder } from "../../src/model/disk-folder.ts";
import { ggufTokenizer } from "../../src/model/tokenizer/from-gguf.ts";
import { openTokenizer } from "../../src/model/tokenizer/from-json.ts";
import type { Tokenizer } from "../../src/model/tokenizer/tokenizer.ts";
import { scratch } from "./helpers.ts";

/** The 256 characters that stand for bytes in byte-level BPE, as GPT-2 chose them. */
const byteCharacters = (() => {
  const visible = (byte: number) => (byte > 32 && byte < 127) || (byte > 160 && byte !== 173);
  let hidden = 0;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(visible(byte) ? byte : 256 + hidden++));
})();

export const special = ["<|start|>", "<|end|>"];
const merges = ["h e", "l l", "he ll", "hell o", "Ġ w"];
export const vocabulary = [...special, ...byteCharacters, ...merges.map((merge) => merge.replace(" ", ""))];
export const id = (token: string): number => vocabulary.indexOf(token);

const metadata = (more: Readonly<Record<string, string | boolean | number>> = {}) =>
  new Map<string, string | boolean | number | string[] | number[]>(
    Object.entries({
      "tokenizer.ggml.model": "gpt2",
      "tokenizer.ggml.pre": "smollm",
      "tokenizer.ggml.tokens": vocabulary,
      "tokenizer.ggml.token_type": vocabulary.map((_, i) => (i < special.length ? 3 : 1)),
      "tokenizer.ggml.merges": merges,
      "tokenizer.ggml.bos_token_id": 0,
      "tokenizer.ggml.eos_token_id": 1,
      ...more,
    }),
  );

export function fromGguf(more: Readonly<Record<string, string | boolean | number>> = {}): Tokenizer {
  const tokenizer = ggufTokenizer(metadata(more), "m.gguf");
  if (!tokenizer) throw new Error("no tokenizer");
  return tokenizer;
}

export const definition = {
  version: "1.0",
  added_tokens: special.map((content, id) => ({ id, content, special: true, normalized: false })),
  normalizer: null,
  pre_tokenizer: {
    type: "Sequence",
    pretokenizers: [
      { type: "Digits", individual_digits: true },
      { type: "ByteLevel", add_prefix_space: false, use_regex: true },
    ],
  },
  post_processor: null,
  decoder: { type: "ByteLevel" },
  model: { type: "BPE", vocab: Object.fromEntries(vocabulary.map((token, i) => [token, i])), merges },
};

export function fromJson(files: Readonly<Record<string, unknown>> = {}, more: object = {}): Tokenizer {
  const texts = Object.entries(files).map(([name, content]) => [
    name,
    typeof content === "string" ? content : JSON.stringify(content),
  ]);
  using folder = scratch({
    "tokenizer.json": JSON.stringify({ ...definition, ...more }),
    ...Object.fromEntries(texts),
  });
  const opened = openTokenizer(diskFolder(folder.path));
  if (!opened) throw new Error("no tokenizer");
  return opened.tokenizer;
}
