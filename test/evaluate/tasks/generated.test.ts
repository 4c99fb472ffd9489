/** What is true of every generated task. A task is held to it by being in the registry. */
import { afterAll, describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Example, Reader } from "../../../src/evaluate/task.ts";
import { generatedTasks } from "../../../src/evaluate/tasks/generated.ts";
import { scratch } from "../../model/helpers.ts";
import { faultOf } from "../../support/fault.ts";
import { holds } from "../../support/seed.ts";
import { hotpotFile, squadFile } from "./files.ts";
import { pieces, readerOf } from "./helpers.ts";

const folder = scratch();
afterAll(() => folder[Symbol.dispose]());
const files: Readonly<Record<string, string>> = {
  "ruler/qa_1": folder.write({ "squad.json": squadFile }),
  "ruler/qa_2": folder.write({ "hotpot.json": hotpotFile }),
};

const LENGTH = 1500;
const reader = readerOf(pieces(5));
const count = (text: Example["prompt"], { tokenizer }: Reader = reader) => tokenizer.encode(String(text)).length;

for (const [name, factory] of Object.entries(generatedTasks)) {
  const { options } = factory();
  const plural = "lengths" in options;
  const sized = plural || "length" in options;
  const given = files[name] === undefined ? {} : { file: files[name] };
  const cell = "depths" in options ? { depths: [0.4] } : "documents" in options ? { documents: [9] } : {};
  const make = (examples: number, length = LENGTH) => {
    const size = plural ? { lengths: [length] } : sized ? { length } : {};
    return factory({ ...given, ...size, examples, ...cell });
  };
  const examplesOf = (examples: number, length?: number, from = reader) =>
    Array.fromAsync(make(examples, length).examples(from));

  describe(name, () => {
    test("is called what the registry calls it", () => expect(make(1).name).toBe(name));

    test("the same seed makes the same examples, another seed others", async () => {
      const examples = await examplesOf(4);
      expect(examples).toHaveLength(4);
      expect(await examplesOf(4)).toEqual(examples);
      const prompts = new Set(examples.map(({ prompt }) => prompt));
      for (const { prompt } of await examplesOf(4, LENGTH, { ...reader, seed: 2 }))
        if (name !== "ruler/qa_1" || !prompts.has(prompt)) expect(prompts).not.toContain(prompt);
    });

    test("the first examples do not depend on how many there are, and no two are alike", async () => {
      const all = await examplesOf(6);
      expect(await examplesOf(2)).toEqual(all.slice(0, 2));
      expect(new Set(all.map(({ id }) => id)).size).toBe(6);
      expect(new Set(all.map(({ prompt }) => prompt)).size).toBe(6);
    });

    test("the right answer scores 1, none 0, and another example's less than 1", async () => {
      const task = make(6);
      const all = await examplesOf(6);
      // As a model would go on: with a space, or with the colon that a prompt lacks.
      const right = ({ answers }: Example) => [` ${answers.join(", ")}.`, `: ${answers.join(", ")}\n`];
      const best = (texts: readonly string[], example: Example) =>
        Math.max(...texts.map((text) => task.score(text, example)));
      for (const example of all) {
        expect(best(right(example), example)).toBe(1);
        expect(best(["", " ", "\n\n", " I do not know."], example)).toBe(0);
        const alike = (other: Example) => other.answers.every((answer) => example.answers.includes(answer));
        for (const other of all) if (!alike(other)) expect(best(right(other), example)).toBeLessThan(1);
      }
      expect(new Set(all.map(({ answers }) => answers.join())).size).toBeGreaterThan(3);
    });

    test("what is to be found is in the prompt, which ends before it", async () => {
      for (const { prompt, answers, facets } of await examplesOf(3)) {
        expect(answers.length).toBeGreaterThan(0);
        for (const answer of answers) {
          expect(prompt).toContain(answer);
          expect(String(prompt).slice(-40)).not.toContain(answer);
        }
        expect(Object.keys(facets).length).toBeGreaterThan(0);
      }
    });

    test("options of another kind are refused by name", async () => {
      for (const [option, value] of [
        ["examples", 0],
        ["examples", "many"],
        ["exmaples", 3],
      ] as const) {
        const { code, path } = await faultOf(() => factory({ [option]: value }));
        expect([code, ...path]).toEqual(["invalid_option", name, option]);
      }
    });

    if (!sized) return;
    const option = plural ? "lengths" : "length";
    const { maxNewTokens } = make(1);

    test("prompt and answer fit the length, and nearly fill it, whatever the tokenizer", () =>
      holds(
        fc.record({
          length: fc.integer({ min: 1200, max: 3000 }),
          letters: fc.integer({ min: 4, max: 7 }),
          start: fc.boolean(),
        }),
        async ({ length, letters, start }) => {
          const from = readerOf(pieces(letters, start));
          for (const { prompt, facets } of await examplesOf(2, length, from)) {
            expect(facets.length).toBe(length);
            expect(count(prompt, from) + maxNewTokens).toBeLessThanOrEqual(length);
            if (files[name] === undefined) expect(count(prompt, from) + maxNewTokens).toBeGreaterThan(0.95 * length);
          }
        },
        6,
      ));

    test("a length too small for the least prompt is refused, and the least that is named suffices", async () => {
      for (const length of [1, maxNewTokens, maxNewTokens + 20]) {
        const fault = await faultOf(() => examplesOf(1, length));
        expect([fault.code, ...fault.path]).toEqual(["invalid_option", name, option]);
        expect(fault.found).toBe(length);
        const least = Number(/at least (\d+)/.exec(fault.allowed)?.[1]);
        expect(await examplesOf(1, least)).toHaveLength(1);
        await faultOf(() => examplesOf(1, least - 1));
      }
    });

    test("a length beyond the model's context is refused", async () => {
      const fault = await faultOf(() => examplesOf(1, 700, { ...reader, contextLength: 699 }));
      expect([fault.code, ...fault.path, fault.allowed]).toEqual([
        "invalid_option",
        name,
        option,
        "at most 699, the model's context",
      ]);
    });
  });
}
