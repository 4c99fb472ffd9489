/** LongBench on a real network, though a tiny and random one: prompts that it can take, answers that can be scored. */
import { expect, setDefaultTimeout, test } from "bun:test";
import {
  longBench,
  longBenchScores,
  longBenchTasks,
  type Scored,
} from "../../../src/evaluate/tasks/longbench/index.ts";
import { compress, generate, type Model, prefill, snapKV } from "../../../src/index.ts";
import type { Tokenizer } from "../../../src/model/tokenizer/tokenizer.ts";
import { faultOf } from "../../support/fault.ts";
import { tinyModel } from "../../support/tiny-model.ts";
import { examplesOf, FIXTURES } from "./helpers.ts";

setDefaultTimeout(60_000);

const VOCABULARY = Array.from(" abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.");

/** A token is one of the model's 64 characters; any other is a full stop. */
const tokenizer: Tokenizer = {
  encode: (text) => Int32Array.from(text, (character) => Math.max(0, VOCABULARY.indexOf(character)) || 63),
  decode: (tokens) => Array.from(tokens, (token) => VOCABULARY[token] ?? "").join(""),
  chat: (messages) => messages.map(({ role, content }) => `${role} ${content} assistant `).join(""),
};

test("every data set is asked, answered after compression, and scored", async () => {
  using tiny = await tinyModel({ contextLength: 1024 });
  const model: Model = { ...tiny, tokenizer };
  const reader = { tokenizer, contextLength: model.config.contextLength, seed: 0 };
  const method = snapKV({ budget: 32 });
  const rows: Scored[] = [];
  for (const make of Object.values(longBenchTasks)) {
    const task = make({ folder: FIXTURES, examples: 1 });
    for (const example of await examplesOf(task, reader)) {
      using context = await prefill(model, example.prompt, { observe: [method] });
      expect(context.length + task.maxNewTokens).toBeLessThanOrEqual(reader.contextLength);
      using cache = await compress(context, method);
      const { text } = await generate(model, cache, { maxNewTokens: 4 });
      rows.push({ facets: example.facets, score: task.score(text, example) });
    }
  }
  expect(rows).toHaveLength(30);
  for (const { score } of rows) expect(score >= 0 && score <= 1).toBe(true);
  expect(longBenchScores(rows).average).toBeWithin(0, 100);
});

test("a context that an answer alone would fill is refused before anything is read", async () => {
  const reader = { tokenizer, contextLength: 512, seed: 0 };
  const fault = await faultOf(() => examplesOf(longBench("gov_report", { folder: "/nowhere" }), reader));
  expect([fault.code, fault.path]).toEqual(["invalid_option", ["longbench/gov_report", "maxLength"]]);
});
