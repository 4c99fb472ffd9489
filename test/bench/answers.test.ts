/** Answers are those that each example and method gets alone, whatever is decoded beside it; and a method answers with what it kept. */
import { describe, expect, test } from "bun:test";
import { accuracies } from "../../bench/evaluate/accuracy.ts";
import { ask } from "../../bench/evaluate/answers.ts";
import type { Example } from "../../bench/evaluate/example.ts";
import { compress, full, generate, prefill, snapKV, step, window } from "../../src/index.ts";
import { faultOf } from "../support/fault.ts";
import { speaking, words } from "./helpers.ts";

const model = await speaking(1);
const methods = [full(), snapKV({ budget: 12 }), window({ budget: 12 })];
const examples = Array.from({ length: 15 }, (_, i): Example => {
  const prompt = Array.from({ length: 30 + i }, (_, k) => `word${i * k}`).join(" ");
  return { id: String(i), prompt, answers: ["0"], metric: "startswith_num" };
});

async function alone({ prompt }: Example, method: (typeof methods)[number], lastOnCache: boolean): Promise<string> {
  const tokens = words.encode(prompt);
  using context = await prefill(model, lastOnCache ? tokens.subarray(0, -1) : tokens, { observe: [method] });
  using cache = await compress(context, method);
  if (lastOnCache) await step(model, cache, tokens.at(-1) ?? 0);
  return (await generate(model, cache, { maxNewTokens: 6, stopTokens: [] })).text;
}

describe.each([
  ["the prompt's last token decoded on what was kept", true],
  ["the whole prompt prefilled", false],
])("with %s", (_name, lastOnCache) => {
  test("answers are those of one sequence alone, in the order of examples and methods", async () => {
    const done: number[] = [];
    const answers = await ask(model, examples, methods, {
      lastOnCache,
      maxNewTokens: 6,
      onAnswered: (count) => done.push(count),
    });
    expect(answers.map(({ example, method }) => [example.id, method.name])).toEqual(
      examples.flatMap(({ id }) => methods.map(({ name }) => [id, name])),
    );
    for (const { example, method, text } of answers) expect(text).toBe(await alone(example, method, lastOnCache));
    expect(done.reduce((sum, count) => sum + count, 0)).toBe(examples.length);
  });
});

test("what is right is what the example's metric says of the text", async () => {
  const [answer] = await ask(model, examples.slice(0, 1), [full()]);
  const first = answer?.text.trim().split(" ")[0] ?? "";
  const [example] = examples;
  if (example === undefined) throw new Error("no example");
  const asked = [{ ...example, answers: ["no", first] }, example];
  const expected = [true, first === "0"];
  expect((await ask(model, asked, [full()])).map(({ right }) => right)).toEqual(expected);
  const rows = await accuracies(model, asked, [12]);
  expect(rows[0]).toMatchObject({ method: "full", of: 2, right: expected.filter(Boolean).length });
  expect(rows.map(({ method, budget }) => [method, budget]).slice(0, 2)).toEqual([
    ["full", Number.POSITIVE_INFINITY],
    ["streamingllm", 12],
  ]);
});

test("a model without a tokenizer is refused", async () => {
  expect((await faultOf(() => ask({ ...model, tokenizer: null }, examples, methods))).code).toBe("tokenizer_missing");
});
