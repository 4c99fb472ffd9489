/** A tiny model that takes and gives text: tokens are words, so that it needs no tokenizer file. */
import type { Model, Tokenizer } from "../../src/index.ts";
import { tinyModel } from "../support/tiny-model.ts";

const VOCABULARY = 64;

export const words: Tokenizer = {
  encode: (text) => Int32Array.from(text.match(/\S+/g) ?? [], (word) => Number(Bun.hash.crc32(word)) % VOCABULARY),
  decode: (tokens) => Array.from(tokens, (token) => ` ${token}`).join(""),
  chat: () => "",
};

/** Random weights from a seed. */
export const speaking = async (seed: number): Promise<Model> => ({ ...(await tinyModel({}, seed)), tokenizer: words });
