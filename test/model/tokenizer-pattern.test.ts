/** Regular expressions of a tokenizer.json: real families' pass, what could backtrack for long is refused. */

import { describe, expect, test } from "bun:test";
import { SplitPreTokenizer } from "@huggingface/tokenizers";
import fc from "fast-check";
import { linearPattern } from "../../src/model/tokenizer/pattern.ts";
import { cpuTime } from "../support/cpu-time.ts";
import { faultOf, SEED } from "./helpers.ts";

/** For ASCII: Bun 1.4.5 gives other characters as escapes, where a template should be raw. */
const raw = String.raw;
const place = ["tokenizer.json", "pre_tokenizer", "pattern"];
const pieces = (Regex: string, text: string): string[] =>
  new SplitPreTokenizer({ type: "Split", pattern: { Regex }, behavior: "Isolated", invert: false }).pre_tokenize(text);

const contractions = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
const blanks = raw`\s*[\r\n]+|\s+(?!\S)|\s+`;
const [upper, lower] = [raw`[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]`, raw`[\p{Ll}\p{Lm}\p{Lo}\p{M}]`];
const cased = (end: string) =>
  raw`[^\r\n\p{L}\p{N}]?${upper}*${lower}+${end}|[^\r\n\p{L}\p{N}]?${upper}+${lower}*${end}`;

const families: readonly (readonly [string, string])[] = [
  ["GPT-2, SmolLM, StarCoder, Phi-2", raw`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`],
  ["Llama 3, Phi-4", raw`${contractions}|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|${blanks}`],
  ["Qwen2", raw`${contractions}|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|${blanks}`],
  ["Qwen3.5", raw`${contractions}|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|${blanks}`],
  ["Tekken", raw`${cased("")}|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|${blanks}`],
  ["GPT-4o, Llama 4", raw`${cased(`${contractions}?`)}|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|${blanks}`],
  [
    "Bailing, possessive",
    raw`'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+`,
  ],
  [
    "Seed, newlines as they are",
    "'s|[^\r\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1}| ?[^\\s\\p{L}\\p{N}\r\n]+|\\s*[\r\n]+|\\s+(?!\\S)|\\s+",
  ],
  ["DeepSeek 1, newlines", "[\r\n]"],
  ["DeepSeek 1, words", "\\s?[A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓ𐐀-𐑏]+"],
  ["DeepSeek 1, signs", "\\s?[!-/:-~！-／：-～‘-‟　-。]+"],
  ["DeepSeek 1, blanks", raw`\s+$`],
  ["DeepSeek 1, others", "[一-龥ࠀ-一가-퟿]+"],
  [
    "DeepSeek 3",
    "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+|" +
      " ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+",
  ],
  ["DeepSeek 3, numbers", raw`\p{N}{1,3}`],
  ["Falcon", "[0-9][0-9][0-9]"],
  ["BLOOM", " ?[^(\\s|[.,!?…。，、।۔،])]+"],
  ["Gemma 4", raw`[^\n]+|[\n]+`],
  ["ALBERT, a normalizer's", " {2,}"],
];

const hostile = [
  "(a+)+$",
  "(a|aa)+$",
  "(.*)*x",
  "(a*)*",
  "(a|a)*b",
  "(x+x+)+y",
  raw`([a-z]+)*\.`,
  raw`(\w+\s?)+$`,
  "((a+)?)*b",
  "(?>a+)+b",
  "(a+){10}",
  // No nested repeats, and still more than linear.
  "a*a*b",
  "a+b",
  ".*x",
  raw`\s*[\r\n]+`,
  raw`\s*[\r\n]+|\s`,
  raw`(\s+(?!\S)|\s+)x`,
  "a+$",
  "a+(?!b)",
  // Ways that multiply without any repeat without bound.
  `${"a?".repeat(30)}${"a".repeat(30)}`,
  "(?:a?){30}a{30}",
  "(a{1,100}){1,100}$",
  "(?:a|b|ab){12}c",
  // What is not looked into.
  raw`(a)\1+`,
  raw`(?<n>a)\k<n>`,
  "(?<=a+)b",
  "(?=a+)b",
  "(?i)a",
  raw`\Ga`,
  raw`[^(\s|[a\])](a+)+$]`,
  "a{1,3}{4}",
  "a{2}+b",
  "^*a",
  // What is no expression, or a hard one to read.
  "(",
  "[",
  "a)",
  raw`a\p{L`,
  "x".repeat(5000),
  `${"(?:".repeat(50)}a${")".repeat(50)}`,
  `${"[".repeat(50)}a${"]".repeat(50)}`,
];

const long = (repeated: string): string => repeated.repeat(Math.ceil(30_000 / repeated.length));
const texts = ["a", " ", "ab", "a ", "A", "中A", "\t ", "!?", "7"].flatMap((unit) => [
  `${long(unit)}\u0001`,
  `\n${long(unit)}x`,
]);

describe("patterns of model families pass, and take little time on any text", () => {
  test.each([...families])("%s", (_name, pattern) => {
    const linear = linearPattern(pattern, place);
    const started = cpuTime();
    for (const text of texts) expect(pieces(linear, text).join("")).toBe(text);
    expect(cpuTime() - started).toBeLessThan(2000);
  });
});

describe("patterns that may backtrack for long are refused by name", () => {
  test.each(hostile.map((pattern) => [pattern.slice(0, 60), pattern] as const))("%s", async (_name, pattern) => {
    const started = cpuTime();
    const fault = await faultOf(() => linearPattern(pattern, place));
    expect([fault.code, fault.found, fault.path]).toEqual(["unsupported_format", pattern, place]);
    expect(cpuTime() - started).toBeLessThan(100);
  });
});

test("DeepSeek's blanks at the end of a line stay the same in a form that is linear", () => {
  const linear = linearPattern(raw`\s+$`, place);
  expect(linear).not.toBe(raw`\s+$`);
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(..." \n\tx\r") }), (text) => {
      expect(pieces(linear, text)).toEqual(pieces(raw`\s+$`, text));
    }),
    { seed: SEED, numRuns: 2000 },
  );
});

test("whatever passes takes little time", () => {
  const atom = fc.constantFrom("a", "b", "[ab]", "[^b]", ".", raw`\w`, raw`\s`, " ", "(?!b)", "$", "(?:a|b)", "(ab?)");
  const quantifier = fc.constantFrom("", "", "?", "*", "+", "+?", "{2}", "{1,3}", "{2,}", "++", "{0,60}");
  const sequence = fc
    .array(fc.tuple(atom, quantifier), { minLength: 1, maxLength: 4 })
    .map((items) => items.flat().join(""));
  const group = fc.tuple(sequence, sequence, quantifier, sequence).map(([a, b, q, c]) => `(?:${a}|${b})${q}${c}`);
  const pattern = fc
    .array(fc.oneof(sequence, group, fc.constantFrom(blanks, cased(""))), { minLength: 1, maxLength: 3 })
    .map((alternatives) => alternatives.join("|"));
  let passed = 0;
  fc.assert(
    fc.property(pattern, (pattern) => {
      const linear = passes(pattern);
      if (linear === null) return;
      passed++;
      const started = cpuTime();
      for (const text of texts.slice(0, 10)) pieces(linear, text);
      expect(cpuTime() - started).toBeLessThan(1500);
    }),
    { seed: SEED, numRuns: 1500 },
  );
  expect(passed).toBeGreaterThan(100);
});

function passes(pattern: string): string | null {
  try {
    return linearPattern(pattern, place);
  } catch {
    return null;
  }
}
