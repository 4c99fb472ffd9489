/** The steps of an untrusted tokenizer.json: opening and using it ends soon, or it is refused. */

import { describe, expect, test } from "bun:test";
import { faultOf } from "./helpers.ts";
import { definition, fromJson } from "./small-tokenizer.ts";

const split = (Regex: string) => ({ type: "Split", pattern: { Regex }, behavior: "Isolated", invert: false });
const replace = (pattern: object, content: string) => ({ type: "Replace", pattern, content });
const sequence = (name: string, steps: readonly unknown[]) => ({ type: "Sequence", [name]: steps });
const bytes = { type: "ByteLevel", add_prefix_space: false, use_regex: false };
const bad = "(a+)+$";

describe("a pattern that may backtrack for long is refused wherever it stands", () => {
  const places: readonly (readonly [string, object])[] = [
    ["pre_tokenizer.pattern", { pre_tokenizer: split(bad) }],
    ["pre_tokenizer.pretokenizers.1.pattern", { pre_tokenizer: sequence("pretokenizers", [bytes, split(bad)]) }],
    [
      "pre_tokenizer.pretokenizers.0.pretokenizers.0.pattern",
      { pre_tokenizer: sequence("pretokenizers", [sequence("pretokenizers", [split(bad)])]) },
    ],
    ["normalizer.pattern", { normalizer: replace({ Regex: bad }, "") }],
    ["normalizer.normalizers.0.pattern", { normalizer: sequence("normalizers", [replace({ Regex: bad }, "")]) }],
    ["decoder.decoders.0.pattern", { decoder: sequence("decoders", [replace({ Regex: bad }, "")]) }],
    ["pre_tokenizer.pattern", { pre_tokenizer: { ...split(bad), pattern: { String: "a", Regex: bad } } }],
  ];
  test.each([...places])("%s", async (place, more) => {
    const fault = await faultOf(() => fromJson({}, more));
    expect([fault.code, fault.found]).toEqual(["unsupported_format", bad]);
    expect(fault.path.slice(1).join(".")).toBe(place);
  });
});

test("patterns that are linear, and texts, stay as they were", () => {
  const steps = [split("\\p{N}"), { ...split(""), pattern: { String: bad } }, bytes];
  const tokenizer = fromJson({}, { pre_tokenizer: sequence("pretokenizers", steps) });
  expect(tokenizer.decode(tokenizer.encode(`12 (a+)+$ hello`))).toBe("12 (a+)+$ hello");
});

describe("refused are", () => {
  const nest = (depth: number): object =>
    Array.from({ length: depth }).reduce<object>((inner) => sequence("pretokenizers", [inner]), bytes);
  const grows = Array.from({ length: 40 }, () => replace({ String: "a" }, "aa"));
  const faults: readonly (readonly [string, object, string])[] = [
    ["pieces of no length", { pre_tokenizer: { type: "FixedLength", length: 0 } }, "corrupt_file"],
    ["pieces of negative length", { pre_tokenizer: { type: "FixedLength", length: -1 } }, "corrupt_file"],
    ["pieces of any length", { pre_tokenizer: { type: "FixedLength" } }, "corrupt_file"],
    ["steps nested a hundred times", { pre_tokenizer: nest(100) }, "corrupt_file"],
    ["steps nested a thousand times", { pre_tokenizer: nest(1000) }, "corrupt_file"],
    ["steps that are none", { pre_tokenizer: sequence("pretokenizers", [7]) }, "corrupt_file"],
    ["a list of steps that is none", { normalizer: { type: "Sequence", normalizers: 5 } }, "corrupt_file"],
    ["a pattern that is none", { pre_tokenizer: { ...split(""), pattern: { Regex: 5 } } }, "corrupt_file"],
    ["texts doubled again and again", { normalizer: sequence("normalizers", grows) }, "unsupported_format"],
    ["a long text for a blank", { normalizer: replace({ String: " " }, "x".repeat(5000)) }, "unsupported_format"],
    ["a text between all", { normalizer: replace({ String: "" }, "x".repeat(5000)) }, "unsupported_format"],
    ["a long text before", { normalizer: { type: "Prepend", prepend: "x".repeat(5000) } }, "unsupported_format"],
    ["words of any length", { model: { ...definition.model, max_input_chars_per_word: 1e9 } }, "corrupt_file"],
  ];
  test.each([...faults])("%s", async (_name, more, code) => {
    expect((await faultOf(() => fromJson({}, more))).code).toBe(code as never);
  });
});
