/** A tokenizer whose tokens are given pieces of bytes, so that a text can be cut anywhere, in the middle of a character too. */
import type { Tokenizer } from "../../src/model/tokenizer/tokenizer.ts";

const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });
const unused = (): never => {
  throw new Error("this tokenizer only decodes");
};

/** Token i stands for `chunks[i]`. */
export const chunkTokenizer = (chunks: readonly Uint8Array[]): Tokenizer => ({
  encode: unused,
  chat: unused,
  decode: (tokens) => utf8.decode(Buffer.concat(Array.from(tokens, (token) => chunks[token] ?? unused()))),
});

/** The tokens are the 256 bytes. */
export const byteTokenizer: Tokenizer = {
  ...chunkTokenizer(Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte))),
  encode: (text) => Int32Array.from(Buffer.from(text)),
};
