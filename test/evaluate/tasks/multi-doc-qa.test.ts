/** The answer is in the document that is said to hold it, and in two hops only by way of another. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { documentBounds, type MultiDocExample, multiDocQa } from "../../../src/evaluate/tasks/multi-doc-qa/index.ts";
import { faultOf } from "../../support/fault.ts";
import { holds } from "../../support/seed.ts";
import { pieces, readerOf, times } from "./helpers.ts";

type Options = NonNullable<Parameters<typeof multiDocQa>[0]>;
const made = (options: Options, seed = 1) =>
  Array.fromAsync(multiDocQa(options).examples(readerOf(pieces(5), { seed })));
const shapes = fc.record({
  documents: fc.integer({ min: 2, max: 60 }).map((count) => [count]),
  examples: fc.constant(4),
  seed: fc.integer({ min: 0, max: 1000 }),
});

const holding = ({ documents, facets }: MultiDocExample) => documents[Number(facets.document) - 1] ?? "";
/** What the question names: a person or a building. */
const subjectOf = ({ prompt }: MultiDocExample) =>
  /Question: (?:What does ([A-Z]\w+ \w+) do|.* (the \w+ of \w+))\?/
    .exec(prompt)
    ?.slice(1)
    .find((name) => name !== undefined) ?? "?";

describe("documents", () => {
  test("are as many as asked for, all different, in the prompt once each, one after the other", () =>
    holds(
      shapes,
      async ({ seed, ...options }) => {
        for (const { prompt, documents, facets } of await made(options, seed)) {
          expect(documents).toHaveLength(Number(facets.documents));
          expect(prompt).toContain(`\n\n${documents.join("\n")}\n\n`);
          for (const text of documents) expect(times(prompt, text)).toBe(1);
        }
      },
      20,
    ));

  test("begin at the tokens that their bounds say", async () => {
    const { tokenizer } = readerOf(pieces(4, true));
    for (const example of await made({ documents: [2, 12], examples: 2 })) {
      const tokens = tokenizer.encode(example.prompt);
      const bounds = documentBounds(tokenizer, example);
      const between = bounds.slice(0, -1).map((from, i) => tokenizer.decode(tokens.slice(from, bounds[i + 1])));
      expect(between.map((text) => text.trimEnd())).toEqual([...example.documents]);
    }
  });
});

describe("the answer", () => {
  test("of one hop is beside what the question names, in the document that is said to hold it", () =>
    holds(
      shapes,
      async ({ seed, ...options }) => {
        for (const example of await made({ ...options, hops: 1 }, seed)) {
          const [answer = ""] = example.answers;
          const sentence =
            holding(example)
              .match(/[^.]+/g)
              ?.find((text) => text.includes(answer)) ?? "";
          expect(sentence.toLowerCase()).toContain(subjectOf(example).toLowerCase());
          // A person is named twice: in one document for what they did, in another for what they do.
          expect(times(example.documents.join("\n"), answer)).toBe(/^[A-Z]/.test(answer) ? 2 : 1);
        }
      },
      20,
    ));

  test("of two hops is in another document than what the question names, with the person who joins them", () =>
    holds(
      shapes,
      async ({ seed, ...options }) => {
        for (const example of await made({ ...options, hops: 2 }, seed)) {
          const [answer = ""] = example.answers;
          expect(example.documents.filter((text) => text.includes(answer))).toEqual([holding(example)]);
          const [first = "", ...rest] = example.documents.filter((text) =>
            text.toLowerCase().includes(subjectOf(example).toLowerCase()),
          );
          expect([first, rest]).not.toEqual([holding(example), []]);
          const [, person = "?"] = / by (\w+ \w+)\./.exec(first) ?? [];
          expect(holding(example)).toContain(`${person} `);
          expect(example.prompt.split("Question: ")[1]).not.toContain(person);
        }
      },
      20,
    ));

  test("goes through all places, in an order that the seed decides", async () => {
    const places = async (seed: number) =>
      (await made({ documents: [8], examples: 16 }, seed)).map(({ facets }) => facets.document);
    const [first, second] = [await places(1), await places(2)];
    expect([...first].sort()).toEqual([1, 2, 3, 4, 5, 6, 7, 8].flatMap((place) => [place, place]));
    expect(second).not.toEqual(first);
  });
});

test("what does not fit the context, or makes no sense, is refused by name", async () => {
  const reader = readerOf(pieces(5), { contextLength: 500 });
  const fault = await faultOf(() => Array.fromAsync(multiDocQa({ documents: [5, 100] }).examples(reader)));
  expect([fault.code, ...fault.path, fault.found]).toEqual(["invalid_option", "multi-doc-qa", "documents", 100]);
  for (const documents of [[1], [201], [2.5], []])
    expect((await faultOf(() => multiDocQa({ documents }))).path.slice(0, 2)).toEqual(["multi-doc-qa", "documents"]);
});
