/** SentencePiece BPE from GGUF: a vocabulary of 309 pieces, with ids from the SentencePiece library itself (0.2.3). */

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { ggufTokenizer } from "../../src/model/tokenizer/from-gguf.ts";
import { streamDecoder } from "../../src/model/tokenizer/stream.ts";
import type { Tokenizer } from "../../src/model/tokenizer/tokenizer.ts";
import type { GgufMetadata } from "../../src/model/weights/gguf-header.ts";
import { cpuTime } from "../support/cpu-time.ts";
import { faultOf, SEED } from "./helpers.ts";

const bytes = Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`);
const pieces =
  "▁▁ ▁▁▁▁ ▁t he ▁the ll or wor ▁w aa aaa ▁he ▁hell lo ▁hello ld ▁wor ▁world 12 ▁▁▁ th the <0 x0 x0A .. ... ab ▁ab ▁ " +
  "e t h l o w r d a b 1 2 3 . < 0 x A > é";
const tokens = ["<unk>", "<s>", "</s>", ...bytes, ...pieces.split(" ")];

type Values = Readonly<Record<string, string | boolean | readonly string[] | readonly number[]>>;
const metadata = (more: Values = {}): GgufMetadata =>
  new Map(
    Object.entries({
      "tokenizer.ggml.model": "llama",
      "tokenizer.ggml.tokens": tokens,
      // As in Llama 2 and Mistral: in order of learning, and blanks, which were put in by hand, all the same.
      "tokenizer.ggml.scores": tokens.map((token, i) => (i < 259 ? 0 : /^▁+$/.test(token) ? -1e9 : 259 - i)),
      "tokenizer.ggml.token_type": tokens.map((_, i) => (i === 0 ? 2 : i < 3 ? 3 : i < 259 ? 6 : 1)),
      ...more,
    }),
  );

function make(more: Values = {}): Tokenizer {
  const tokenizer = ggufTokenizer(metadata(more), "m.gguf");
  if (!tokenizer) throw new Error("no tokenizer");
  return tokenizer;
}

const tokenizer = make();
const plain = { addSpecialTokens: false };

const golden: readonly (readonly [string, readonly number[]])[] = [
  ["", []],
  [" ", [259]],
  ["hello world", [273, 276]],
  ["  hello  world ", [259, 273, 288, 276, 288]],
  ["the hell", [263, 271]],
  ["\n\nthe\t12", [288, 13, 13, 280, 12, 277]],
  ["aaaaa", [288, 268, 269]],
  ["aaaaaaa bab", [288, 268, 268, 269, 288, 298, 286]],
  ["     x", [260, 259, 305]],
  ["the      end", [263, 260, 259, 289, 113, 296]],
  ["123 ....", [288, 277, 301, 288, 284, 284]],
  ["🙂é", [288, 243, 162, 156, 133, 308]],
  ["\uFEFFab", [288, 242, 190, 194, 286]],
  // Written out, a byte token is text like any other.
  ["<0x0A>", [288, 281, 283, 307]],
];

describe("ids and text are SentencePiece's", () => {
  test.each(golden.map(([text, ids]) => [JSON.stringify(text), text, ids] as const))("%s", (_name, text, ids) => {
    expect([...tokenizer.encode(text, plain)]).toEqual([...ids]);
    expect(tokenizer.decode(ids)).toBe(text);
    const stream = streamDecoder(tokenizer);
    expect([...ids.map((id) => stream.push(id)), stream.end()].join("")).toBe(text);
  });

  test("without a blank put before the text, where the file says so", () => {
    const bare = make({ "tokenizer.ggml.add_space_prefix": false });
    const expected = [
      ["hello world", [262, 264, 293, 276]],
      [" hello", [273]],
      ["the hell", [280, 271]],
    ] as const;
    for (const [text, ids] of expected) {
      expect([...bare.encode(text, plain)]).toEqual([...ids]);
      expect(bare.decode(ids)).toBe(text);
    }
  });

  test("the blank's own sign reads as a blank", () => {
    expect([...tokenizer.encode("a▁b", plain)]).toEqual([288, 297, 288, 298]);
    expect(tokenizer.decode([288, 297, 288, 298])).toBe("a b");
  });
});

describe("special tokens", () => {
  test("are found where they are written, and each starts a text anew, as in llama.cpp", () => {
    expect([...tokenizer.encode("<s>hello</s> the", plain)]).toEqual([1, 273, 2, 288, 263]);
    expect([...tokenizer.encode("ab<unk>ab", plain)]).toEqual([287, 0, 287]);
    expect(tokenizer.decode([1, 273, 2, 288, 263])).toBe("<s> hello</s>  the");
    expect(tokenizer.decode([1, 273, 2, 288, 263], { skipSpecialTokens: true })).toBe("hello  the");
  });

  test("begin a text, unless the file says otherwise", () => {
    expect([...tokenizer.encode("ab")]).toEqual([1, 287]);
    expect([...make({ "tokenizer.ggml.add_bos_token": false }).encode("ab")]).toEqual([287]);
  });

  test("a template has their text without their ids in the file", () => {
    const source = "{{ bos_token }}{{ messages[0].content }}{{ eos_token }}";
    const chat = make({ "tokenizer.chat_template": source }).chat([{ role: "user", content: "Hi" }]);
    expect(chat).toBe("<s>Hi</s>");
  });
});

describe("properties", () => {
  const token = fc.oneof(fc.nat(2), fc.integer({ min: 3, max: 258 }), fc.integer({ min: 259, max: tokens.length - 1 }));

  test("any text comes back, but for the blank's own sign", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(..."he llo 12\n🙂é\uFEFF<") }), (text) => {
        expect(tokenizer.decode(tokenizer.encode(text, plain))).toBe(text);
      }),
      { seed: SEED, numRuns: 500 },
    );
  });

  test("tokens decoded as they come give the same text, also around special ones left out", () => {
    fc.assert(
      fc.property(fc.array(token), fc.boolean(), (ids, skipSpecialTokens) => {
        const stream = streamDecoder(tokenizer, { skipSpecialTokens });
        const streamed = [...ids.map((id) => stream.push(id)), stream.end()].join("");
        expect(streamed).toBe(tokenizer.decode(ids, { skipSpecialTokens }));
      }),
      { seed: SEED, numRuns: 1000 },
    );
    const stream = streamDecoder(tokenizer, { skipSpecialTokens: true });
    expect([287, 2, 287].map((id) => stream.push(id))).toEqual(["ab", "", " ab"]);
  });

  test("long texts take little time", () => {
    for (const text of ["hello world ".repeat(2500), "a".repeat(30_000), " ".repeat(30_000), "🙂".repeat(15_000)]) {
      const started = cpuTime();
      expect(tokenizer.decode(tokenizer.encode(text, plain))).toBe(text);
      expect(cpuTime() - started).toBeLessThan(1000);
    }
  });
});

describe("refused are", () => {
  test("scores that are missing, too few, or none", async () => {
    for (const scores of [[], [1], tokens.map(() => Number.NaN), ["x"]]) {
      const fault = await faultOf(() => make({ "tokenizer.ggml.scores": scores as number[] }));
      expect(fault.code).toBe("corrupt_file");
      expect(fault.path.join(" ")).toContain("scores");
    }
  });

  test("vocabularies without a token for every byte", async () => {
    const without = tokens.map((token) => (token === "<0x0A>" ? "newline" : token));
    const fault = await faultOf(() => make({ "tokenizer.ggml.tokens": without }));
    expect([fault.code, fault.found]).toEqual(["unsupported_format", "without <0x0A>"]);
  });

  test("pieces that would take long to merge", async () => {
    const long = [...tokens.slice(0, -1), "x".repeat(20_000)];
    expect((await faultOf(() => make({ "tokenizer.ggml.tokens": long }))).code).toBe("unsupported_format");
  });

  test("kinds that are not known", async () => {
    for (const model of ["t5", "rwkv", "toString"]) {
      const fault = await faultOf(() => make({ "tokenizer.ggml.model": model }));
      expect(fault.message).toContain(`tokenizer.ggml.model is ${model}, but must be one of gpt2, llama`);
    }
  });
});
