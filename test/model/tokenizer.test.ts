import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Tokenizer } from "../../src/model/tokenizer.ts";
import { ggufTokenizer } from "../../src/model/tokenizer-gguf.ts";
import { openTokenizer } from "../../src/model/tokenizer-json.ts";
import { streamDecoder } from "../../src/model/tokenizer-stream.ts";
import { faultOf, SEED, scratch } from "./helpers.ts";

/** The 256 characters that stand for bytes in byte-level BPE, as GPT-2 chose them. */
const byteCharacters = (() => {
  const visible = (byte: number) => (byte > 32 && byte < 127) || (byte > 160 && byte !== 173);
  let hidden = 0;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(visible(byte) ? byte : 256 + hidden++));
})();

const special = ["<|start|>", "<|end|>"];
const merges = ["h e", "l l", "he ll", "hell o", "Ġ w"];
const vocabulary = [...special, ...byteCharacters, ...merges.map((merge) => merge.replace(" ", ""))];
const id = (token: string): number => vocabulary.indexOf(token);

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

function fromGguf(more: Readonly<Record<string, string | boolean | number>> = {}): Tokenizer {
  const tokenizer = ggufTokenizer(metadata(more), "m.gguf");
  if (!tokenizer) throw new Error("no tokenizer");
  return tokenizer;
}

const definition = {
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

function fromJson(files: Readonly<Record<string, unknown>> = {}, more: object = {}): Tokenizer {
  const texts = Object.entries(files).map(([name, content]) => [
    name,
    typeof content === "string" ? content : JSON.stringify(content),
  ]);
  using folder = scratch({
    "tokenizer.json": JSON.stringify({ ...definition, ...more }),
    ...Object.fromEntries(texts),
  });
  const opened = openTokenizer(folder.path);
  if (!opened) throw new Error("no tokenizer");
  return opened.tokenizer;
}

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

describe("the beginning-of-sequence token", () => {
  const starts = (tokenizer: Tokenizer, options = {}) => [...tokenizer.encode("h", options)];

  test("is put first where GGUF says so, or where its kind does", () => {
    expect(starts(fromGguf())).toEqual([id("h")]);
    expect(starts(fromGguf({ "tokenizer.ggml.add_bos_token": true }))).toEqual([0, id("h")]);
    expect(starts(fromGguf({ "tokenizer.ggml.pre": "llama-bpe" }))).toEqual([0, id("h")]);
    const llama = fromGguf({ "tokenizer.ggml.pre": "llama-bpe", "tokenizer.ggml.add_bos_token": false });
    expect(starts(llama)).toEqual([id("h")]);
  });

  test("is put first where tokenizer.json says so, and not where the caller doesn't want it", () => {
    const single = [{ SpecialToken: { id: "<|start|>", type_id: 0 } }, { Sequence: { id: "A", type_id: 0 } }];
    const post_processor = { type: "TemplateProcessing", single, pair: single, special_tokens: {} };
    const tokenizer = fromJson({}, { post_processor });
    expect(starts(tokenizer)).toEqual([0, id("h")]);
    for (const each of [tokenizer, fromGguf({ "tokenizer.ggml.add_bos_token": true })]) {
      expect(starts(each, { addSpecialTokens: false })).toEqual([id("h")]);
    }
  });
});

describe("chat", () => {
  const [messages, source] = [
    [{ role: "user", content: "Hi" }],
    "{{ bos_token }}{{ messages[0].content }}{{ eos_token }}",
  ];
  const config = { bos_token: { content: "<|start|>" }, eos_token: "<|end|>" };

  test("takes its template from any of the places where models keep it", () => {
    const named = [
      { name: "tool_use", template: "no" },
      { name: "default", template: source },
    ];
    const tokenizers = [
      fromGguf({ "tokenizer.chat_template": source }),
      fromJson({ "tokenizer_config.json": { ...config, chat_template: source } }),
      fromJson({ "tokenizer_config.json": { ...config, chat_template: named } }),
      fromJson({ "tokenizer_config.json": { ...config, chat_template: "no" }, "chat_template.jinja": source }),
    ];
    for (const tokenizer of tokenizers) expect(tokenizer.chat(messages)).toBe("<|start|>Hi<|end|>");
  });

  test("without a template is an error that says so", async () => {
    for (const tokenizer of [fromGguf(), fromJson({ "tokenizer_config.json": config })]) {
      const fault = await faultOf(() => tokenizer.chat(messages));
      expect([fault.code, fault.found]).toEqual(["template_failed", "absent"]);
    }
  });
});

describe("what is refused", () => {
  test("tokenizer files of other types, by the place of the fault", async () => {
    const spoilt: readonly (readonly [string, object])[] = [
      ["model", { model: 1 }],
      ["pre_tokenizer", { pre_tokenizer: { type: "Nobody's" } }],
      ["decoder", { decoder: { type: 5 } }],
      ["added_tokens", { added_tokens: [{ id: -1, content: "x" }] }],
      ["an added token longer than any", { added_tokens: [{ id: 1, content: "a".repeat(100_000) }] }],
      ["merges", { model: { ...definition.model, merges: [7] } }],
    ];
    for (const [, more] of spoilt) expect((await faultOf(() => fromJson({}, more))).code).toBe("corrupt_file");
    for (const config of ["[]", "{", '{"bos_token":5}', '{"chat_template":{}}']) {
      expect((await faultOf(() => fromJson({ "tokenizer_config.json": config }))).code).toBe("corrupt_file");
    }
  });

  test("GGUF metadata of other types, and kinds that are not known", async () => {
    const codes: readonly (readonly [string, string | boolean | number, string])[] = [
      ["tokenizer.ggml.tokens", 5, "corrupt_file"],
      ["tokenizer.ggml.merges", "h e", "corrupt_file"],
      ["tokenizer.ggml.bos_token_id", "0", "corrupt_file"],
      ["tokenizer.ggml.add_bos_token", 1, "corrupt_file"],
      ["tokenizer.ggml.pre", "toString", "unsupported_format"],
      ["tokenizer.ggml.model", "llama", "unsupported_format"],
    ];
    for (const [key, value, code] of codes) {
      expect((await faultOf(() => fromGguf({ [key]: value }))).code).toBe(code as never);
    }
  });

  test("a folder and metadata without a tokenizer have none", () => {
    using folder = scratch();
    expect(openTokenizer(folder.path)).toBeNull();
    expect(ggufTokenizer(new Map(), "m.gguf")).toBeNull();
  });
});
