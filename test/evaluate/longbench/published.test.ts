/** A miniature LongBench in its own files, end to end, against LongBench's own code (test/fixtures/longbench/make_examples.py). */
import { describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import {
  longBenchEScores,
  longBenchScores,
  longBenchTasks,
  longBenchV2Scores,
  type Scored,
} from "../../../src/evaluate/tasks/longbench/index.ts";
import { prompts } from "../../../src/evaluate/tasks/longbench/prompts.ts";
import { rounded } from "../../../src/evaluate/tasks/longbench/scores.ts";
import { PROMPT } from "../../../src/evaluate/tasks/longbench/v2.ts";
import golden from "../../fixtures/longbench/golden.json" with { type: "json" };
import { examplesOf, FIXTURES, TEMPLATE, textOf } from "./helpers.ts";

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
const NO_CHAT = ["trec", "triviaqa", "samsum", "lcc", "repobench-p"];

function taskOf(name: string) {
  const make = longBenchTasks[name];
  if (make === undefined) throw new Error(`no task ${name}`);
  return make({ folder: FIXTURES });
}

/** What a task makes of the answers of a golden run. */
async function results(name: string, answers: readonly string[]): Promise<Scored[]> {
  const task = taskOf(name);
  const examples = await examplesOf(task);
  expect(examples).toHaveLength(answers.length);
  return examples.map((example, i) => ({ facets: example.facets, score: task.score(answers[i] ?? "", example) }));
}

const answersOf = new Map(Object.entries(golden.answers));

for (const [dataset, { sha256: prompt, filled, limit }] of Object.entries(golden.protocol)) {
  describe(dataset, () => {
    const name = `longbench/${dataset}`;
    test("has the published words, limit and template", async () => {
      expect(sha256(new Map<string, string>(Object.entries(prompts)).get(dataset) ?? "")).toBe(prompt);
      const task = taskOf(name);
      expect(task.maxNewTokens).toBe(limit);
      const [first] = await examplesOf(task);
      const text = first === undefined ? "" : textOf(first);
      const chat = !NO_CHAT.includes(dataset);
      expect(text.startsWith("<user>")).toBe(chat);
      expect(sha256(chat ? text.slice("<user>".length, "<user>".length - TEMPLATE) : text)).toBe(filled);
    });

    test("ends its answers as published", () => {
      const { stop, minNewTokens } = taskOf(name);
      expect([stop, minNewTokens]).toEqual(dataset === "samsum" ? ["line", 1] : ["model", 0]);
    });

    test("has the published scores", async () => {
      const rows = await results(name, answersOf.get(dataset) ?? []);
      const expected = new Map(Object.entries(golden.scores)).get(dataset);
      expect(rows.map(({ score }) => rounded(100 * score, 2))).toEqual(expected?.examples ?? []);
      expect(longBenchScores(rows).datasets).toEqual({ [dataset]: expected?.mean ?? Number.NaN });
    });

    test("gives its own answers all", async () => {
      const task = taskOf(name);
      for (const example of await examplesOf(task)) {
        for (const answer of example.answers) expect(task.score(answer, example)).toBeCloseTo(1, 8);
      }
    });
  });
}

test("LongBench-E has the published scores, each in the band of its length", async () => {
  const rows: Scored[] = [];
  for (const file of Object.keys(golden.scores_e)) {
    const dataset = file.replace(/_e$/, "");
    rows.push(...(await results(`longbench-e/${dataset}`, answersOf.get(dataset) ?? [])));
  }
  const { datasets, average } = longBenchEScores(rows);
  expect(datasets).toEqual(golden.scores_e);
  const longest = [golden.scores_e.lcc_e["8k+"]];
  expect(average["8k+"]).toBe(longest[0] ?? null);
  const middle = Object.values(golden.scores_e).flatMap((bands) => ("4-8k" in bands ? [bands["4-8k"]] : []));
  expect(middle).toHaveLength(13);
  expect(average["4-8k"]).toBeCloseTo(middle.reduce((sum, score) => sum + score, 0) / 13, 2);
});

test("LongBench's average counts every data set the same, however many examples it has", async () => {
  const score = (dataset: string, score: number): Scored => ({ facets: { dataset }, score });
  const rows = [score("a", 1), score("a", 0.5), score("a", 0), score("b", 0.25)];
  expect(longBenchScores(rows)).toEqual({ datasets: { a: 50, b: 25 }, average: 37.5 });
  expect(longBenchScores([])).toEqual({ datasets: {}, average: null });
});

test("there are 16 data sets, 13 of them in LongBench-E, and v2", () => {
  const names = Object.keys(longBenchTasks);
  expect(names.filter((name) => name.startsWith("longbench/"))).toHaveLength(16);
  expect(names.filter((name) => name.startsWith("longbench-e/")).map((name) => name.slice(12))).toEqual(
    Object.keys(golden.scores_e).map((name) => name.replace(/_e$/, "")),
  );
  expect(names).toHaveLength(30);
  for (const name of names) expect(taskOf(name).name).toBe(name);
});

test("LongBench v2 has the published words and verdicts", async () => {
  expect(sha256(PROMPT)).toBe(golden.v2.sha256);
  const [first] = await examplesOf(taskOf("longbench-v2"));
  expect(sha256(first === undefined ? "" : textOf(first).slice("<user>".length, "<user>".length - TEMPLATE))).toBe(
    golden.v2.filled,
  );
  const rows = await results("longbench-v2", golden.v2.answers);
  expect(rows.map(({ score }) => score)).toEqual(golden.v2.right);
  expect(longBenchV2Scores(rows)).toEqual({ overall: 66.7, easy: 100, hard: 50, short: 100, medium: 100, long: 0 });
});

test("means are rounded as Python rounds them, exact halves to the even digit", () => {
  for (const [x = 0, two, one] of golden.rounded) expect([rounded(x, 2), rounded(x, 1)]).toEqual([two ?? 0, one ?? 0]);
});
