import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { streamDecoder } from "../../src/model/tokenizer-stream.ts";
import { faultOf, SEED } from "./helpers.ts";
import { fromGguf, fromJson, id, vocabulary } from "./small-tokenizer.ts";

describe.each([
  ["GGUF", fromGguf],
  ["tokenizer.json", fromJson],
] as const)("from %s", (_name, make) => {
  const tokenizer = make();

  test("merges, splits digits one by one, and finds special tokens", () => {
    expect([...tokenizer.encode("hello w12<|end|>")]).toEqual(["hello", "Ġw", "1", "2", "<|end|>"].map(id));
    expect([...tokenizer.encode("٣Ⅷ")].length).toBe(5);
    expect(tokenizer.encode("")).toEqual(new Int32Array(0));
    expect(tokenizer.decode([])).toBe("");
  });

  test("any text comes back", () => {
    const text = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.string({ unit: fc.constantFrom(..."he llo 12\n🙂é<|end|>") }),
    );
    fc.assert(
      fc.property(text, (text) => expect(tokenizer.decode(tokenizer.encode(text))).toBe(text.toWellFormed())),
      { seed: SEED, numRuns: 500 },
    );
  });

  test("special tokens are left out on request, and unknown ids refused", async () => {
    const tokens = ["<|start|>", "hello", "<|end|>"].map(id);
    expect(tokenizer.decode(tokens)).toBe("<|start|>hello<|end|>");
    expect(tokenizer.decode(Int32Array.from(tokens), { skipSpecialTokens: true })).toBe("hello");
    for (const token of [vocabulary.length, -1, 0.5, Number.NaN]) {
      expect((await faultOf(() => tokenizer.decode([token]))).code).toBe("invalid_token");
    }
  });

  test("tokens decoded as they come give the same text, split only between characters", () => {
    const tokens = fc.array(
      fc.oneof(
        fc.nat(vocabulary.length - 1),
        fc.constantFrom(..."🙂é".split("").flatMap((c) => [...tokenizer.encode(c)])),
      ),
    );
    fc.assert(
      fc.property(tokens, fc.boolean(), (tokens, skipSpecialTokens) => {
        const stream = streamDecoder(tokenizer, { skipSpecialTokens });
        const pieces = [...tokens.map((token) => stream.push(token)), stream.end()];
        expect(pieces.join("")).toBe(tokenizer.decode(tokens, { skipSpecialTokens }));
      }),
      { seed: SEED, numRuns: 500 },
    );
    const stream = streamDecoder(tokenizer);
    expect([...tokenizer.encode("a🙂")].map((token) => stream.push(token))).toEqual(["a", "", "", "", "🙂"]);
  });

  test("long and hostile texts take little time", () => {
    const words = "hello world, ".repeat(2500);
    const texts = [
      words,
      "a".repeat(100_000),
      " ".repeat(100_000),
      "7".repeat(100_000),
      "!?".repeat(50_000),
      "<|".repeat(50_000),
    ];
    for (const text of texts) {
      const started = performance.now();
      expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
      expect(performance.now() - started).toBeLessThan(3000);
    }
  });
});
