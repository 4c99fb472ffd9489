import { describe, expect, test } from "bun:test";
import { diskFolder } from "../../src/model/disk-folder.ts";
import { ggufTokenizer } from "../../src/model/tokenizer/from-gguf.ts";
import { openTokenizer } from "../../src/model/tokenizer/from-json.ts";
import type { Tokenizer } from "../../src/model/tokenizer/tokenizer.ts";
import { faultOf, scratch } from "./helpers.ts";
import { definition, fromGguf, fromJson, id } from "./small-tokenizer.ts";

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
      ["tokenizer.ggml.model", "t5", "unsupported_format"],
      ["tokenizer.ggml.model", "llama", "unsupported_format"],
    ];
    for (const [key, value, code] of codes) {
      expect((await faultOf(() => fromGguf({ [key]: value }))).code).toBe(code as never);
    }
  });

  test("a folder and metadata without a tokenizer have none", () => {
    using folder = scratch();
    expect(openTokenizer(diskFolder(folder.path))).toBeNull();
    expect(ggufTokenizer(new Map(), "m.gguf")).toBeNull();
  });
});
