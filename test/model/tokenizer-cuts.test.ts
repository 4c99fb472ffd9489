/** How byte-level BPE cuts text before merging, against the pieces that the models' own tokenizer.json gives. */

import { describe, expect, test } from "bun:test";
import { Tokenizer as Library } from "@huggingface/tokenizers";
import { ggufTokenizer } from "../../src/model/tokenizer/from-gguf.ts";
import { byteLevel } from "../../src/model/tokenizer/gguf-bytes.ts";
import { faultOf } from "./helpers.ts";
import { fromGguf, id, vocabulary } from "./small-tokenizer.ts";

const text = "I'LL can't 12345 e\u0301: \n\n  XMLHttp日本 --ok/\n ٣x\t";

/** From Hugging Face's original library with each model's pattern; "default" with llama.cpp's patterns. */
const expected = {
  "gpt-2": "I|'|LL| can|'t| 12345| e|\u0301:| \n\n | XMLHttp日本| --|ok|/|\n| ٣|x|\t",
  default: "I|'|LL| can|'|t| |123|45| e|\u0301|:| \n\n | XMLHttp日本| |--|ok|/|\n| |٣|x|\t",
  smollm: "I|'|LL| can|'t| |1|2|3|4|5| e|\u0301:| \n\n | XMLHttp日本| --|ok|/|\n |٣|x|\t",
  starcoder: "I|'|LL| can|'t| |1|2|3|4|5| e|\u0301:| \n\n | XMLHttp日本| --|ok|/|\n |٣|x|\t",
  "llama-bpe": "I|'LL| can|'t| |123|45| e|\u0301:| \n\n| | XMLHttp日本| --|ok|/\n| |٣|x|\t",
  llama3: "I|'LL| can|'t| |123|45| e|\u0301:| \n\n| | XMLHttp日本| --|ok|/\n| |٣|x|\t",
  "llama-v3": "I|'LL| can|'t| |123|45| e|\u0301:| \n\n| | XMLHttp日本| --|ok|/\n| |٣|x|\t",
  qwen2: "I|'LL| can|'t| |1|2|3|4|5| é|:| \n\n| | XMLHttp日本| --|ok|/\n| |٣|x|\t",
  tekken: "I|'LL| can|'t| |1|2|3|4|5| e\u0301|:| \n\n| | XMLHttp日本| --|ok|/\n| |٣|x|\t",
};

describe("the pieces of", () => {
  test.each(Object.entries(expected))("%s", (pre, pieces) => {
    const kind = byteLevel({ model: "gpt2", pre, tokens: ["a"], merges: [] }, "m.gguf");
    const library = new Library({ ...kind, added_tokens: [], post_processor: null }, {});
    const cut = library.pre_tokenizer?.pre_tokenize(library.normalizer?.normalize(text) ?? text) ?? [];
    expect(cut.map((piece) => library.decoder?.decode([piece])).join("|")).toBe(pieces);
  });
});

test("a piece that is itself a token is taken whole where the model does so", () => {
  const encoded = (pre: string) => {
    const entries = { model: "gpt2", pre, tokens: [...vocabulary], merges: ["l l"], add_bos_token: false };
    const metadata = new Map(Object.entries(entries).map(([key, value]) => [`tokenizer.ggml.${key}`, value]));
    return [...(ggufTokenizer(metadata, "m.gguf")?.encode("hello") ?? [])];
  };
  for (const pre of ["llama-bpe", "tekken"]) expect(encoded(pre)).toEqual([id("hello")]);
  for (const pre of ["gpt-2", "qwen2", "smollm"]) expect(encoded(pre)).toEqual(["h", "e", "ll", "o"].map(id));
});

test("a text starts with the beginning-of-sequence token where the model's do", () => {
  const first = (pre: string) => fromGguf({ "tokenizer.ggml.pre": pre }).encode("h")[0];
  expect(["llama-bpe", "llama3", "llama-v3", "tekken"].map(first)).toEqual([0, 0, 0, 0]);
  expect(["gpt-2", "default", "smollm", "starcoder", "qwen2"].map(first)).toEqual(Array(5).fill(id("h")));
});

test("others are refused by name", async () => {
  for (const pre of ["dolphin", "deepseek-llm", "", "constructor"]) {
    const fault = await faultOf(() => fromGguf({ "tokenizer.ggml.pre": pre }));
    expect([fault.code, fault.found]).toEqual(["unsupported_format", pre]);
    expect(fault.message).toContain("must be one of gpt-2, default, smollm");
  }
});
