/** Needles lie where they should, as often as they should, in text that goes on around them. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { haystack } from "../../../src/evaluate/haystack.ts";
import type { Example, Reader } from "../../../src/evaluate/task.ts";
import { generatedTasks } from "../../../src/evaluate/tasks/generated.ts";
import {
  needle,
  needleMultiKey,
  needleMultiQuery,
  needleMultiValue,
  needleSentence,
} from "../../../src/evaluate/tasks/needle/index.ts";
import { openModel } from "../../../src/model/open.ts";
import { scratch } from "../../model/helpers.ts";
import { faultOf } from "../../support/fault.ts";
import { goldenGguf } from "../../support/golden-model.ts";
import { holds } from "../../support/seed.ts";
import { pieces, readerOf, times } from "./helpers.ts";

type Options = NonNullable<Parameters<typeof needle>[0]>;

const reader = readerOf(pieces(5));
const made = (options: Options, from = reader, make = needle) => Array.fromAsync(make(options).examples(from));

/** Opening, context and question. */
const partsOf = ({ prompt }: Example) => /^(.*?\n\n)(.*)\n\n(Question: .*)$/s.exec(String(prompt))?.slice(1) ?? [];
/** The sentences that answer the question, in the order of the answers. */
const factsOf = (example: Example) => {
  const [, context = "", question = ""] = partsOf(example);
  const [, places = ""] = /special magic numbers? for (.*) mentioned/.exec(question) ?? [];
  const all = context.match(/(One of the|The) special magic numbers? for \w+ is \d+\./g) ?? [];
  return {
    all,
    asked: all.filter((fact) => places.split(", ").some((place) => fact.includes(` for ${place} is `))),
    places,
  };
};

/** Tokens of the context before the needle and in all, the needle's own left out: counted on the prompt's tokens, by their texts. */
function depthOf(example: Example, fact: string, { tokenizer }: Reader) {
  const [opening = "", context = ""] = partsOf(example);
  const needleAt = opening.length + context.indexOf(fact);
  const places = [opening.length, needleAt, needleAt + fact.length, opening.length + context.length];
  let end = 0;
  const tokens = Array.from(tokenizer.encode(String(example.prompt)), (token) => {
    end += tokenizer.decode([token], { skipSpecialTokens: true }).length;
    return end;
  });
  const [start = 0, from = 0, to = 0, last = 0] = places.map((place) => tokens.filter((end) => end <= place).length);
  return { before: from - start, text: last - start - (to - from) };
}

async function liesAtItsDepth(options: Options, from: Reader) {
  for (const example of await made(options, from)) {
    const fact = factsOf(example).all.find((one) => one.includes(` ${example.answers[0]}.`)) ?? "";
    const { before, text } = depthOf(example, fact, from);
    expect(Math.abs(before - Number(example.facets.depth) * text)).toBeLessThanOrEqual(1);
  }
}

describe("a needle lies at its depth within a token", () => {
  const depth = fc.oneof(fc.constantFrom(0, 0.5, 1), fc.double({ min: 0, max: 1, noNaN: true }));

  test("whatever the depth, the length, the tokenizer and what else is hidden", () =>
    holds(
      fc.record({
        depth,
        length: fc.integer({ min: 420, max: 1500 }),
        keys: fc.integer({ min: 1, max: 5 }),
        seed: fc.integer({ min: 0, max: 1000 }),
        letters: fc.integer({ min: 3, max: 9 }),
      }),
      ({ depth, length, keys, seed, letters }) =>
        liesAtItsDepth({ depths: [depth], lengths: [length], keys }, readerOf(pieces(letters), { seed })),
      40,
    ));

  test("also in the shortest prompt there is, where other facts take half of the text, and just after one of them", () =>
    holds(
      fc.record({ keys: fc.integer({ min: 2, max: 24 }), before: fc.nat(22), seed: fc.integer({ min: 0, max: 1000 }) }),
      async ({ keys, before, seed }) => {
        const from = readerOf(pieces(6), { seed });
        const depth = Math.min(1, ((before % (keys - 1)) + 0.5) / (keys - 1) + 0.001);
        const { allowed } = await faultOf(() => made({ depths: [depth], lengths: [1], keys }, from));
        await liesAtItsDepth({ depths: [depth], lengths: [Number(/\d+/.exec(allowed)?.[0])], keys }, from);
      },
      40,
    ));

  test("on SmolLM2's tokenizer", async () => {
    const path = await goldenGguf();
    if (path === null) return;
    using model = await openModel(path);
    if (model.tokenizer === null) throw new Error("the GGUF has no tokenizer");
    await liesAtItsDepth({ depths: 7, lengths: [400, 700] }, readerOf(model.tokenizer));
    await liesAtItsDepth({ depths: [0.13, 0.6], lengths: [500], keys: 4 }, readerOf(model.tokenizer));
  });
});

describe("the haystack", () => {
  test("is running text, of which only the outer ends are cut and only their last words may be passed over", async () => {
    const book = haystack(undefined, "test").join(" ");
    for (const example of await made({ depths: [0, 0.3, 0.7, 1], lengths: [600] })) {
      const [, context = ""] = partsOf(example);
      const [fact = ""] = factsOf(example).all;
      const [before = [], after = []] = context.split(fact).map((text) => text.trim().split(" "));
      const [end, start] = [before.slice(10).join(" "), after.slice(0, -10).join(" ")];
      expect(book).toContain([end, start].filter((text) => text !== "").join(" "));
      if (example.facets.depth !== 0) expect(end).toMatch(/[.!?]["']?$/);
    }
  });

  test("may be a file of the user's, and facts go between its sentences", async () => {
    using folder = scratch();
    const text = Array.from({ length: 300 }, (_, i) => `Sheep number ${i} jumps\nover the gate.`).join("\n\n");
    const file = folder.write({ "sheep.txt": text });
    for (const example of await made({ haystack: file, lengths: [700], depths: 3, keys: 3 })) {
      const [, context = ""] = partsOf(example);
      expect(context).toMatch(/Sheep number \d+ jumps over the gate\./);
      for (const fact of factsOf(example).all)
        expect(context).toMatch(new RegExp(`(^|gate\\. |\\d\\. )${fact}($| Sheep| The special)`));
    }
  });

  test.each([
    ["missing", null, "invalid_option", "the path of a file that can be read"],
    ["empty", " \n\n ", "corrupt_file", "a text to hide something in"],
    ["not text", new Uint8Array([0x41, 0xff, 0xfe]), "corrupt_file", "text in UTF-8"],
    ["too short", "A few words only. ".repeat(20), "invalid_option", "one of at least "],
  ] as const)("that is %s is refused", async (_name, content, code, allowed) => {
    using folder = scratch();
    const path = `${folder.path}/hay.txt`;
    if (content !== null) folder.write({ "hay.txt": content });
    const fault = await faultOf(() => made({ haystack: path }));
    expect(fault.code).toBe(code);
    expect(fault.allowed).toStartWith(allowed);
    expect(fault.path.join()).toBe(code === "corrupt_file" ? path : "needle,haystack");
  });
});

describe("variants:", () => {
  const cases = [
    ["one number", needle, { all: 1, asked: 1 }],
    ["one of four places", needleMultiKey, { all: 4, asked: 1 }],
    ["four numbers of one place", needleMultiValue, { all: 4, asked: 4 }],
    ["four places", needleMultiQuery, { all: 4, asked: 4 }],
  ] as const;

  test.each(cases)("%s: every fact is there once, and those asked are the answers", async (_name, make, counts) => {
    for (const example of await made({ lengths: [700], depths: 5, examples: 3 }, reader, make)) {
      const { all, asked } = factsOf(example);
      expect({ all: all.length, asked: asked.length }).toEqual(counts);
      expect(asked.map((fact) => fact.match(/\d+/)?.[0] ?? "").sort()).toEqual([...example.answers].sort());
      for (const answer of example.answers) expect(times(String(example.prompt), answer)).toBe(1);
      expect(new Set(all).size).toBe(all.length);
    }
  });

  test("several numbers are scored by the share found", async () => {
    const task = needleMultiValue({ lengths: [700], depths: 1 });
    const [example] = await Array.fromAsync(task.examples(reader));
    if (example === undefined) throw new Error("no example");
    expect(task.score(` ${example.answers.slice(0, 3).join(" and ")}`, example)).toBe(3 / 4);
  });

  test("a sentence is there once, without its answer in the question, and scored by the share of its words", async () => {
    const task = needleSentence({ lengths: [600], depths: 4 });
    for (const example of await Array.fromAsync(task.examples(reader))) {
      const [, context = "", question = ""] = partsOf(example);
      const [, stem = ""] = /Answer: (.*)$/.exec(question) ?? [];
      expect(times(context, stem)).toBe(1);
      const rest = context.slice(context.indexOf(stem) + stem.length).split(".")[0] ?? "";
      expect(task.score(rest, example)).toBe(1);
      expect(task.score(example.answers[0] ?? "", example)).toBe(1 / example.answers.length);
      for (const answer of example.answers) expect(question).not.toContain(answer);
    }
  });

  test("combinations that mean nothing are refused by name", async () => {
    for (const [options, path] of [
      [{ kind: "sentence", values: 2 }, "values"],
      [{ kind: "sentence", queries: 2 }, "queries"],
      [{ kind: "song" }, "kind"],
      [{ depths: [1.5] }, "depths"],
      [{ depths: [] }, "depths"],
      [{ depths: 0 }, "depths"],
      [{ keys: 25 }, "keys"],
      [{ lengths: [] }, "lengths"],
      [{ lengths: [10.5] }, "lengths"],
      [{ haystack: "" }, "haystack"],
    ] as const) {
      const fault = await faultOf(() => generatedTasks.needle?.(options));
      expect([fault.code, ...fault.path.slice(0, 2)]).toEqual(["invalid_option", "needle", path]);
    }
  });
});

test("depths as a number are that many, evenly, and options record them", async () => {
  expect(needle({ depths: 5 }).options.depths).toEqual([0, 0.25, 0.5, 0.75, 1]);
  expect(needle({ depths: 1 }).options.depths).toEqual([0.5]);
  expect(needle().options.depths).toHaveLength(11);
  const cells = (await made({ lengths: [500, 600], depths: 2, examples: 2 })).map(({ facets }) =>
    Object.values(facets),
  );
  const grid = [
    [500, 0],
    [500, 1],
    [600, 0],
    [600, 1],
  ];
  expect(cells).toEqual([...grid, ...grid]);
});
