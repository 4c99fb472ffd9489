/** Few-shot prompts show what is asked for, and no label is favoured. */
import { expect, test } from "bun:test";
import { fewShot } from "../../../src/evaluate/tasks/few-shot.ts";
import { pieces, readerOf, times } from "./helpers.ts";

const CATEGORIES = ["Animal", "Date", "Definition", "Location", "Number", "Person"];
const examples = await Array.fromAsync(
  fewShot({ lengths: [500], examples: 60 }).examples(readerOf(pieces(5))),
  ({ prompt, answers, facets }) => ({
    prompt: String(prompt),
    label: answers[0] ?? "",
    facets,
    shown: [...String(prompt).matchAll(/\nCategory: (\w+)\n/g)].map(([, label = ""]) => label),
  }),
);
const counts = (labels: readonly string[]) => CATEGORIES.map((label) => labels.filter((one) => one === label).length);

test("a prompt ends before the colon, shows every category, and its own question only once", () => {
  for (const { prompt, label, shown, facets } of examples) {
    expect(prompt).toMatch(/ \?\nCategory$/);
    expect(facets.category).toBe(label);
    expect(new Set(shown)).toEqual(new Set(CATEGORIES));
    const [question = ""] = prompt.match(/Question: [^\n]*(?=\nCategory$)/) ?? [];
    expect(times(prompt, question)).toBe(1);
  }
});

test("every category is asked as often, shown about as often, and last by chance only", () => {
  expect(counts(examples.map(({ label }) => label))).toEqual(Array(6).fill(10));
  for (const { shown } of examples)
    expect(Math.max(...counts(shown)) - Math.min(...counts(shown))).toBeLessThanOrEqual(2);
  const last = counts(examples.map(({ shown }) => shown.at(-1) ?? ""));
  expect(Math.min(...last)).toBeGreaterThan(1);
  // Repeating the last label is right one time in six: 10 of 60, and by chance hardly ever 20.
  expect(examples.filter(({ shown, label }) => shown.at(-1) === label).length).toBeLessThan(20);
});
