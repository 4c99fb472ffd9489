/** RULER's tasks are RULER's: their frames are those of its own code to the byte, and what they hide is what they ask for. */
import { afterAll, describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { haystack } from "../../../src/evaluate/haystack.ts";
import { frequencies } from "../../../src/evaluate/tasks/ruler/frequent-words.ts";
import { rulerTasks } from "../../../src/evaluate/tasks/ruler/index.ts";
import golden from "../../fixtures/ruler/ruler.json";
import { scratch } from "../../model/helpers.ts";
import { faultOf } from "../../support/fault.ts";
import { hotpotFile, squadFile } from "./files.ts";
import { pieces, readerOf, times } from "./helpers.ts";

const reader = readerOf(pieces(5), { contextLength: 131072 });
const task = (name: string, options: object = {}) => {
  const factory = rulerTasks[`ruler/${name}`];
  if (factory === undefined) throw new Error(`no task ${name}`);
  return factory({ length: 1500, examples: 4, ...options });
};
const made = (name: string, options: object = {}) =>
  Array.fromAsync(task(name, options).examples(reader), ({ prompt, ...rest }) => ({ ...rest, prompt: String(prompt) }));

const folder = scratch();
afterAll(() => folder[Symbol.dispose]());
const qa1 = { file: folder.write({ "squad.json": squadFile }) };
const qa2 = { file: folder.write({ "hotpot.json": hotpotFile }) };

/** The parts of a prompt that differ from example to example: those of its last frame, as some tasks begin with an example. */
function partsOf(prompt: string, pattern: RegExp) {
  const { index, 0: frame = "", groups = {} } = [...prompt.matchAll(pattern)].at(-1) ?? {};
  const { context = "", query } = groups;
  const blank = frame.replace(context, () => "{context}");
  return {
    shots: prompt.slice(0, index),
    context,
    query,
    frame: query === undefined ? blank : blank.replaceAll(query, "{query}"),
  };
}
const niah =
  /(A|Some) special magic (?:(?!special magic).)*? afterwards\.\n(?<context>.*)\nWhat (is|are all) the special magic \w+ for (?<query>.*?) mentioned .*$/gs;
const vt =
  /Memorize and track [^\n]*\n\n(?<context>(?:(?!Memorize and track).)*)\nQuestion: Find all variables that are assigned the value (?<query>\d+) [^\n]*$/gs;
const cwe = /Below is a numbered [^\n]*\n(?<context>[^\n]*)\nQuestion: [^\n]*$/g;
const fwe = /Read the following [^\n]* coded words\. (?<context>[^\n]*)\nQuestion: [^\n]*$/g;
const qa =
  /Answer the question .* given documents\.\n\n(?<context>Document 1:.*)\n\nAnswer .*\nQuestion: (?<query>.*) Answer:$/gs;

describe("frames are RULER's to the byte:", () => {
  const frames = golden.frames;
  test.each([
    ["niah_single_1", niah, frames["niah numbers, one"], {}],
    ["niah_single_2", niah, frames["niah numbers, one"], {}],
    ["niah_single_3", niah, frames["niah uuids, one"], {}],
    ["niah_multikey_1", niah, frames["niah numbers, one"], {}],
    ["niah_multikey_2", niah, frames["niah numbers, one"], {}],
    ["niah_multikey_3", niah, frames["niah uuids, one"], {}],
    ["niah_multivalue", niah, frames["niah numbers, many"], {}],
    ["niah_multiquery", niah, frames["niah numbers, many"], {}],
    ["vt", vt, frames.vt, {}],
    ["cwe", cwe, frames.cwe, {}],
    ["fwe", fwe, frames.fwe, {}],
    ["qa_1", qa, frames.qa, qa1],
    ["qa_2", qa, frames.qa, qa2],
  ] as const)("%s", async (name, pattern, hash, options) => {
    for (const { prompt } of await made(name, options))
      expect(createHash("sha256").update(partsOf(prompt, pattern).frame).digest("hex")).toBe(hash);
  });

  test("tokens to generate are RULER's, and there are 13 tasks", () => {
    const tokens = Object.keys(rulerTasks).map((name) => rulerTasks[name]?.().maxNewTokens);
    const { niah, variable_tracking, common_words_extraction, freq_words_extraction, qa } = golden.tokens;
    expect(tokens).toEqual([
      ...Array(8).fill(niah),
      variable_tracking,
      common_words_extraction,
      freq_words_extraction,
      qa,
      qa,
    ]);
  });
});

describe("needles:", () => {
  const WORDS = "[a-z]+-[a-z]+";
  const UUIDS = "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}";
  test.each([
    ["niah_single_1", "numbers", WORDS, { keys: 1, values: 1, queries: 1 }],
    ["niah_single_2", "numbers", WORDS, { keys: 1, values: 1, queries: 1 }],
    ["niah_single_3", "uuids", WORDS, { keys: 1, values: 1, queries: 1 }],
    ["niah_multikey_1", "numbers", WORDS, { keys: 4, values: 1, queries: 1 }],
    ["niah_multikey_2", "numbers", WORDS, { keys: null, values: 1, queries: 1 }],
    ["niah_multikey_3", "uuids", UUIDS, { keys: null, values: 1, queries: 1 }],
    ["niah_multivalue", "numbers", WORDS, { keys: 1, values: 4, queries: 1 }],
    ["niah_multiquery", "numbers", WORDS, { keys: 4, values: 1, queries: 4 }],
  ] as const)("%s hides what it asks for, once, among as many others as it should", async (name, kind, key, counts) => {
    const value = kind === "numbers" ? "\\d{7}" : UUIDS;
    for (const { prompt, answers } of await made(name)) {
      const { context, query = "" } = partsOf(prompt, niah);
      const needles = [
        ...context.matchAll(new RegExp(`One of the special magic ${kind} for (${key}) is: (${value})\\.`, "g")),
      ];
      expect(times(context, "One of the special magic")).toBe(needles.length);
      const queried = query.split(/, and |, /);
      expect(queried).toHaveLength(counts.queries);
      const asked = queried.flatMap((key) =>
        needles.filter((needle) => needle[1] === key).map((needle) => needle[2] ?? ""),
      );
      expect([...asked].sort()).toEqual([...answers].sort());
      expect(answers).toHaveLength(counts.queries * counts.values);
      for (const answer of answers) expect(times(prompt, answer)).toBe(1);
      const keys = new Set(needles.map((needle) => needle[1])).size;
      if (counts.keys === null) expect(keys).toBe(context.split("\n").length);
      else expect([keys, needles.length]).toEqual([counts.keys, counts.keys * counts.values]);
    }
  });

  test("noise is RULER's, and the essay the beginning of Moby-Dick or of the user's file, which begins again where it ends", async () => {
    const without = (context: string) =>
      context.replace(/One of the special magic \w+ for \S+ is: \S+\.\s?/g, "").trim();
    for (const { prompt } of await made("niah_single_1"))
      expect(new Set(without(partsOf(prompt, niah).context).split("\n"))).toEqual(
        new Set(["The grass is green. The sky is blue. The sun is yellow. Here we go. There and back again."]),
      );
    const book = haystack(undefined, "test").join(" ");
    for (const { prompt } of await made("niah_multivalue"))
      expect(book).toStartWith(without(partsOf(prompt, niah).context));
    const file = folder.write({ "essay.txt": "All work is play.\nAll play is work. " });
    for (const { prompt } of await made("niah_single_2", { haystack: file }))
      expect("All work is play. All play is work. ".repeat(200)).toStartWith(without(partsOf(prompt, niah).context));
  });

  test("depths spread over the whole text", async () => {
    const all = await made("niah_single_2", { examples: 40 });
    const depths = all.map(({ prompt, answers }) => {
      const { context } = partsOf(prompt, niah);
      return context.indexOf(answers[0] ?? "") / context.length;
    });
    for (const from of [0, 0.25, 0.5, 0.75])
      expect(depths.filter((depth) => depth >= from && depth < from + 0.25).length).toBeGreaterThan(2);
  });
});

test("vt: a chain of assignments in the text's order, after an example of at most 500 tokens with its answer", async () => {
  for (const { prompt, answers } of await made("vt")) {
    const { shots, context, query } = partsOf(prompt, vt);
    const assignments = [...context.matchAll(/^VAR ([A-Z]{5}) = (?:VAR )?(\w+) ?$/gm)].map(([, name, from]) => [
      name,
      from,
    ]);
    expect(assignments).toEqual(answers.map((name, i) => [name, i === 0 ? query : answers[i - 1]]));
    expect(answers).toHaveLength(5);
    expect(shots).toMatch(/they are: {2}([A-Z]{3} ){4}[A-Z]{3}\n\n$/);
    expect(reader.tokenizer.encode(shots).length).toBeLessThanOrEqual(505);
    expect(reader.tokenizer.encode(shots).length).toBeGreaterThan(450);
  }
});

test.each([
  [1500, { often: 6, seldom: 1 }, { often: 3, seldom: 1, words: 20 }],
  [5000, { often: 30, seldom: 3 }, { often: 10, seldom: 3, words: 40 }],
])(
  "cwe at %p tokens: ten words come often and all others seldom, in the list and in the example before it",
  async (length, main, example) => {
    const countsOf = (context: string) => {
      const entries = context.split(/ ?\b\d+\. /).slice(1);
      const counts = new Map<string, number>();
      for (const word of entries) counts.set(word, (counts.get(word) ?? 0) + 1);
      return counts;
    };
    for (const { prompt, answers } of await made("cwe", { length, examples: 2 })) {
      const { shots, context } = partsOf(prompt, cwe);
      const counts = countsOf(context);
      expect(
        [...counts]
          .filter(([, count]) => count === main.often)
          .map(([word]) => word)
          .sort(),
      ).toEqual([...answers].sort());
      expect(new Set(counts.values())).toEqual(new Set([main.often, main.seldom]));
      expect(answers).toHaveLength(10);
      const [, list = "", answer = ""] = /\n(.*)\nQuestion:.* are: (.*)\n$/s.exec(shots) ?? [];
      const shown = countsOf(list);
      expect(shown.size).toBe(example.words);
      const often = [...shown].filter(([, count]) => count === example.often).map(([word]) => word);
      expect([...countsOf(answer).keys()].sort()).toEqual(often.sort());
    }
  },
);

describe("fwe", () => {
  test.each(golden.frequencies)(
    "frequencies of $words words over $vocabulary are numpy's and scipy's",
    ({ words, vocabulary, counts }) => expect(frequencies(words, vocabulary)).toEqual(counts),
  );

  test("the answers are the three most frequent words but for the noise", async () => {
    for (const length of [400, 1500, 8000]) {
      for (const { prompt, answers } of await made("fwe", { length })) {
        const words = partsOf(prompt, fwe).context.split(" ");
        const counts = Map.groupBy(words, (word) => word);
        const ranked = [...counts]
          .sort(([, a], [, b]) => b.length - a.length)
          .map(([word, all]) => [word, all.length] as const);
        expect(ranked[0]?.[0]).toBe("...");
        expect(ranked.slice(1, 4).map(([word]) => word)).toEqual([...answers]);
        expect(ranked[3]?.[1] ?? 0).toBeGreaterThan(ranked[4]?.[1] ?? 0);
        for (const [word] of ranked.slice(1)) expect(word).toMatch(/^[a-z]{6}$/);
      }
    }
  });
});

describe("qa", () => {
  test.each([
    ["qa_1", qa1, 24, 1],
    ["qa_2", qa2, 24, 2],
  ] as const)(
    "%s: questions with an answer, in the file's order, over as many documents as fit, all different",
    async (name, file, most, own) => {
      const all = await made(name, { ...file, examples: 100 });
      expect(all).toHaveLength(24);
      expect(all[0]?.answers[0]).toBe("red cellar jam");
      const sizes = new Set<number>();
      for (const length of [230, 700, 5000]) {
        for (const { prompt, answers } of await made(name, { ...file, length })) {
          const { context, query = "" } = partsOf(prompt, qa);
          const documents = context.split(/(?:^|\n\n)Document \d+:\n/).slice(1);
          expect(new Set(documents).size).toBe(documents.length);
          const [holder = ""] = documents.filter((text) => text.includes(answers[0] ?? "?"));
          expect(holder).toContain(query.replace("What does the", "The").replace(" hold?", " holds"));
          expect(documents.length).toBeGreaterThanOrEqual(own);
          sizes.add(documents.length);
        }
      }
      expect(Math.max(...sizes)).toBe(most);
      expect(sizes.size).toBeGreaterThan(2);
    },
  );

  test("documents of the same article come before others", async () => {
    for (const { prompt, answers } of await made("qa_1", { ...qa1, length: 230 })) {
      const [, room = "?"] = answers[0]?.split(" ") ?? [];
      const { context } = partsOf(prompt, qa);
      expect(times(context, `of the ${room} holds`)).toBe(times(context, "Document "));
    }
  });

  test("the document with the answer is not always at the same place", async () => {
    const places = (await made("qa_2", { ...qa2, examples: 24 })).map(({ prompt, answers }) =>
      partsOf(prompt, qa)
        .context.split("\n\n")
        .findIndex((text) => text.includes(answers[0] ?? "?")),
    );
    expect(new Set(places).size).toBeGreaterThan(5);
  });

  test("a file in the format of SQuAD 1.1, which has no impossible questions, is read too", async () => {
    const file = folder.write({ "old.json": squadFile.replace(/"is_impossible":false,/g, "") });
    expect(await made("qa_1", { file })).toHaveLength(4);
  });

  test("without a file, the error says which to give", async () => {
    for (const [name, what] of [
      ["qa_1", "SQuAD"],
      ["qa_2", "HotpotQA"],
    ] as const) {
      const fault = await faultOf(() => made(name));
      expect([fault.code, ...fault.path]).toEqual(["invalid_option", `ruler/${name}`, "file"]);
      expect(fault.allowed).toContain(what);
    }
  });

  const wrong = '{"data": [{"paragraphs": [{"context": "c", "qas": [{"question": 3, "answers": []}]}]}]}';
  test.each([
    ["qa_1", "{", []],
    ["qa_1", "[]", []],
    ["qa_1", wrong, ["data", 0, "paragraphs", 0, "qas", 0, "question"]],
    ["qa_1", '{"data": []}', []],
    ["qa_2", "{}", []],
    ["qa_2", '[{"question": "q", "answer": "a", "context": []}]', [0, "context"]],
    ["qa_2", "[]", []],
  ] as const)("%s: the file %p is refused with the place at fault", async (name, content, place) => {
    const file = folder.write({ "wrong.json": content });
    const fault = await faultOf(() => made(name, { file }));
    expect([fault.code, ...fault.path]).toEqual(["corrupt_file", file, ...place]);
  });
});
