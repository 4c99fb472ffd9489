/** What every metric promises, on random texts: bounds, what an exact copy gets, and what does not matter. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { metrics } from "../../../src/evaluate/metrics/index.ts";
import { holds } from "../../support/seed.ts";

const WORDS = [
  "a",
  "the",
  "The",
  "cat",
  "sat",
  "mat.",
  "7",
  "42",
  "don't",
  "x_y",
  "été",
  "😀",
  "#",
  "`",
  "Paragraph",
  ".",
  "\n",
];
const text = fc.oneof(
  fc.array(fc.constantFrom(...WORDS), { maxLength: 12 }).map((words) => words.join(" ")),
  fc.string({ unit: "binary", maxLength: 30 }),
);
const classes = fc.array(fc.constantFrom("cat", "sat", "a cat", "7", "été"), { maxLength: 5 });
const pairs = fc.record({ answer: text, references: fc.array(text, { maxLength: 4 }), classes });

const line = fc
  .array(fc.constantFrom(..."abcx =+();😀é"), { minLength: 1, maxLength: 40 })
  .map((characters) => characters.join(""));
/** Each metric with references of its kind, which are also the answers that deserve most. */
const ours: readonly (readonly [keyof typeof metrics, fc.Arbitrary<string>])[] = [
  ["qa-f1", fc.array(fc.constantFrom("cat", "sat", "7", "été"), { minLength: 1 }).map((words) => words.join(" the "))],
  ["rouge-l", fc.array(fc.constantFrom(...WORDS), { minLength: 1 }).map((words) => `cat ${words.join(" ")}`)],
  ["classification", fc.constantFrom("Date", "City")],
  ["code-similarity", line],
  ["code-similarity-levenshtein", line],
  ["retrieval", fc.nat(99).map((number) => `Paragraph ${number}`)],
  ["count", fc.nat(99).map(String)],
];

for (const [name, copies] of ours) {
  const metric = metrics[name];
  describe(name, () => {
    test("is between 0 and 1, whatever the texts", () =>
      holds(pairs, ({ answer, references, classes }) => {
        const score = metric(answer, references, classes);
        expect(score).toBeGreaterThanOrEqual(0);
        expect(score).toBeLessThanOrEqual(1);
      }));

    test("takes the best reference, in whatever order they come", () =>
      holds(pairs, ({ answer, references, classes }) => {
        const score = metric(answer, references, classes);
        expect(metric(answer, references.toReversed(), classes)).toBe(score);
        expect(Math.max(0, ...references.map((one) => metric(answer, [one], classes)))).toBe(score);
      }));

    test("gives an exact copy all", () =>
      holds(copies, (copy) => expect(metric(copy, [copy], ["Date", "City"])).toBeCloseTo(1, 8)));
  });
}

test("F1 does not ask which text is the answer", () =>
  holds(fc.tuple(text, text), ([a, b]) => expect(metrics["qa-f1"](a, [b])).toBeCloseTo(metrics["qa-f1"](b, [a]), 12)));

test("F1 does not see case, articles, punctuation or the order of words", () =>
  holds(fc.array(fc.constantFrom("cat", "sat", "7"), { minLength: 1 }), (words) => {
    const other = `The ${words.toReversed().join(", a ").toUpperCase()}!`;
    expect(metrics["qa-f1"](other.replaceAll(" A ", " a "), [words.join(" ")])).toBe(1);
  }));

test("a common subsequence is never less alike than matching blocks", () =>
  holds(fc.tuple(line, line), ([a, b]) =>
    expect(metrics["code-similarity-levenshtein"](a, [b])).toBeGreaterThanOrEqual(metrics["code-similarity"](a, [b])),
  ));

test("code is judged by its first line that is no comment and no fence", () =>
  holds(fc.tuple(line, line), ([answer, rest]) => {
    const dressed = `\n\n\`\`\`python\n# comment\n// other\n${answer}\n${rest}`;
    expect(metrics["code-similarity"](dressed, [answer])).toBe(1);
  }));

test("every number besides the right one costs", () => {
  expect(metrics.count("3 of 12", ["3"])).toBe(1 / 2);
  expect(metrics.retrieval("Paragraph 12, or 3", ["Paragraph 3"])).toBe(1 / 2);
  expect(metrics.count("03", ["3"])).toBe(0);
});

test("every other class besides the right one costs, but for those within its name", () => {
  const classes = ["Other", "Other entity", "City"];
  expect(metrics.classification("Other entity", ["Other entity"], classes)).toBe(1);
  expect(metrics.classification("City or Other entity", ["Other entity"], classes)).toBe(1 / 2);
  expect(metrics.classification("Other entity", ["Other"], classes)).toBe(1 / 2);
});
