import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { streamDecoder } from "../../src/model/tokenizer/stream.ts";
import { cpuTime } from "../support/cpu-time.ts";
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

  test("special tokens are left out on request, ids beyond the vocabulary have no text, and what is no id is refused", async () => {
    const tokens = ["<|start|>", "hello", "<|end|>"].map(id);
    expect(tokenizer.decode(tokens)).toBe("<|start|>hello<|end|>");
    expect(tokenizer.decode(Int32Array.from(tokens), { skipSpecialTokens: true })).toBe("hello");
    expect(tokenizer.decode([vocabulary.length, ...tokens, vocabulary.length + 9], { skipSpecialTokens: true })).toBe(
      "hello",
    );
    for (const token of [-1, 0.5, Number.NaN]) {
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
      const started = cpuTime();
      expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
      expect(cpuTime() - started).toBeLessThan(3000);
    }
  });
});

test("a text that begins with the opening token, as chat templates write it, gets no second one", () => {
  const template = {
    type: "TemplateProcessing",
    single: [{ SpecialToken: { id: "<|start|>", type_id: 0 } }, { Sequence: { id: "A", type_id: 0 } }],
    pair: [],
    special_tokens: { "<|start|>": { id: "<|start|>", ids: [0], tokens: ["<|start|>"] } },
  };
  for (const tokenizer of [
    fromGguf({ "tokenizer.ggml.add_bos_token": true }),
    fromJson({}, { post_processor: template }),
  ]) {
    const expected = ["<|start|>", "hello"].map(id);
    expect([...tokenizer.encode("hello")]).toEqual(expected);
    expect([...tokenizer.encode("<|start|>hello")]).toEqual(expected);
    expect([...tokenizer.encode("hello", { addSpecialTokens: false })]).toEqual(expected.slice(1));
    expect([...tokenizer.encode("<|start|>hello", { addSpecialTokens: false })]).toEqual(expected);
  }
  // A model that opens with nothing keeps what is written.
  expect([...fromGguf().encode("<|start|><|start|>hello")]).toEqual(["<|start|>", "<|start|>", "hello"].map(id));
});
