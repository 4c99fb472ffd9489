/** The benchmarks' tasks are those of src/evaluate, as many examples as asked for; and files of examples are read with care. */
import { describe, expect, test } from "bun:test";
import { isRight, readExamples } from "../../bench/evaluate/example.ts";
import { stretches, tasks } from "../../bench/evaluate/index.ts";
import { pieces } from "../evaluate/tasks/helpers.ts";
import { scratch } from "../model/helpers.ts";
import { faultOf } from "../support/fault.ts";

const tokenizer = pieces(5);

describe("the tasks", async () => {
  const made = await tasks(tokenizer, 7);

  test("are the same every time, and the first few-shot ones do not depend on how many there are", async () => {
    expect(await tasks(tokenizer, 7)).toEqual(made);
    expect((await tasks(tokenizer, 3))[3]?.examples).toEqual(made[3]?.examples.slice(0, 3) ?? []);
  });

  for (const { name, examples } of made) {
    test(`${name}: as many as asked for, of that length, and right where the task's metric says so`, () => {
      const room = Number(/(\d+) tokens/.exec(name)?.[1]);
      expect(new Set(examples.map(({ prompt }) => prompt)).size).toBe(7);
      for (const example of examples) {
        expect(tokenizer.encode(example.prompt).length).toBeLessThanOrEqual(room);
        expect(tokenizer.encode(example.prompt).length).toBeGreaterThan(0.9 * room);
        const answer = `${example.metric === "startswith_num" ? " " : ": "}${example.answers[0]}`;
        expect(isRight(example, `${answer}.\n`)).toBe(true);
        expect(isRight(example, `no${answer}`)).toBe(false);
      }
    });
  }

  test("one of four needles has four", () => {
    for (const { prompt } of made[2]?.examples ?? []) expect(prompt.match(/ is \d{5}\./g)).toHaveLength(4);
  });
});

test("stretches of text have just the length asked for, each from another part of the book", () => {
  const texts = stretches(tokenizer, 5, 100);
  expect(texts.map(({ length }) => length)).toEqual([100, 100, 100, 100, 100]);
  expect(new Set(texts.map((tokens) => tokens.join())).size).toBe(5);
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
