/** The small tasks: what counts as an answer, and that their prompts hold it once and fit. */
import { describe, expect, test } from "bun:test";
import { isRight, readExamples } from "../../bench/evaluate/example.ts";
import { stretches, tasks } from "../../bench/evaluate/index.ts";
import type { Tokenizer } from "../../src/index.ts";
import { scratch } from "../model/helpers.ts";
import { faultOf } from "../support/fault.ts";

/** A token is a piece of a word of at most four letters, or the space before it. */
const pieces: Tokenizer = {
  encode: (text) => Int32Array.from(text.match(/\s|\S{1,4}/g) ?? [], (_, i) => i),
  decode: () => "",
  chat: () => "",
};
const example = (metric: "startswith_num" | "contains_first_colon", ...answers: string[]) => ({
  id: "",
  prompt: "?",
  answers,
  metric,
});

describe("an answer", () => {
  test.each([
    [" 77292.\n\nWhat", true],
    ["77292", true],
    ["\n77292 ", true],
    [" 772921", false],
    [" 7729", false],
    [" is 77292", false],
    ["", false],
  ])("with the number 77292: %p is %p", (text, right) =>
    expect(isRight(example("startswith_num", "77292"), text)).toBe(right),
  );

  test.each([
    [": Date\n\nQuestion: Who", true],
    [":Date", true],
    [": date and more", true],
    [": Dates", false],
    [": Animal\nCategory: Date", false],
    [":\nDate", false],
    [" Date", false],
    ["", false],
  ])("with the label Date after a colon: %p is %p", (text, right) =>
    expect(isRight(example("contains_first_colon", "Date"), text)).toBe(right),
  );

  test("may be any of several", () => {
    expect(isRight(example("startswith_num", "1", "2"), " 2")).toBe(true);
    expect(isRight(example("startswith_num", "1", "2"), " 3")).toBe(false);
  });
});

describe("the tasks", () => {
  const made = tasks(pieces, 7);

  test("are the same every time, and the first ones do not depend on how many there are", () => {
    expect(tasks(pieces, 7)).toEqual(made);
    const questions = (count: number) => tasks(pieces, count).map(({ examples }) => examples[0]?.answers);
    expect(questions(3)).toEqual(questions(7));
  });

  for (const { name, examples } of made) {
    test(`${name}: prompts fit and are nearly full, all different`, () => {
      const room = Number(/(\d+) tokens/.exec(name)?.[1]);
      expect(new Set(examples.map(({ prompt }) => prompt)).size).toBe(7);
      for (const { prompt } of examples) {
        expect(pieces.encode(prompt).length).toBeLessThanOrEqual(room);
        expect(pieces.encode(prompt).length).toBeGreaterThan(0.9 * room);
      }
    });
  }

  test("needles: the answer is in the text once, at depths from its beginning to its end, and the prompt lacks only it", () => {
    for (const { examples } of made.slice(0, 3)) {
      const depths = examples.map(({ prompt, answers: [answer = ""] }) => {
        expect(prompt.split(answer)).toHaveLength(2);
        const place = /number for (\w+) is$/.exec(prompt)?.[1];
        expect(prompt).toContain(`The special magic number for ${place} is ${answer}.`);
        return prompt.indexOf(answer) / prompt.length;
      });
      expect(depths[0]).toBeLessThan(0.25);
      expect(depths.at(-1)).toBeGreaterThan(0.6);
    }
    for (const { prompt } of made[2]?.examples ?? []) expect(prompt.match(/ is \d{5}\./g)).toHaveLength(4);
  });

  test("few-shot: every prompt shows its category and ends before the colon", () => {
    for (const {
      prompt,
      answers: [answer = ""],
    } of made[3]?.examples ?? []) {
      expect(prompt).toMatch(/\nCategory$/);
      expect(prompt).toContain(`Category: ${answer}\n`);
    }
  });
});

test("stretches of text have just the length asked for, each from another part of the book", () => {
  const texts = stretches(pieces, 5, 100);
  expect(texts.map(({ length }) => length)).toEqual([100, 100, 100, 100, 100]);
});

test("a file's line that is no example is named", async () => {
  using folder = scratch({ "good.jsonl": "", "bad.jsonl": "" });
  const line = JSON.stringify({ id: "a", prompt: "p", answers: ["1"], metric: "startswith_num", meta: { extra: 1 } });
  const good = folder.write({ "good.jsonl": `${line}\n${line}\n` });
  expect(readExamples(good).map(({ id }) => id)).toEqual(["a", "a"]);
  for (const bad of ["{", "{}", line.replace("startswith_num", "else")]) {
    const path = folder.write({ "bad.jsonl": `${line}\n${bad}\n` });
    const fault = await faultOf(() => readExamples(path));
    expect([fault.code, fault.path]).toEqual(["corrupt_file", [path, "line 2"]]);
  }
});
