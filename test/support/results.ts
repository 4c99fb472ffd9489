/** Random results, and the plain one from which tests make others. */
import fc from "fast-check";
import type { Result } from "../../src/evaluate/index.ts";

export const result = (changes: Partial<Result> = {}): Result => ({
  key: "k",
  task: "needle",
  taskOptions: { lengths: [500, 1000] },
  seed: 0,
  example: "0",
  facets: { length: 500 },
  promptTokens: 500,
  method: "snapkv",
  methodOptions: { window: 8, pool: "maxPool(7)" },
  budget: "64",
  kept: 64,
  bytes: 2 ** 20,
  answer: " 7319",
  score: 1,
  recall: null,
  outputError: null,
  prefillMs: 100.5,
  compressMs: 1.25,
  decodeMs: 20,
  provenance: {
    model: "random",
    revision: null,
    weights: "sha256:0",
    engine: "onnx",
    precision: "fp32",
    threads: 1,
    versions: { pyramidkv: "0" },
  },
  ...changes,
});

/** Any of all the doubles, bit for bit: NaN, infinities, -0 and the smallest among them. */
const double = fc.double();
const count = fc.integer({ min: 0, max: 2 ** 40 });
/** With NUL, quotes, what JSON and CSV escape, and characters beyond 16 bits. */
const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 20 }),
  fc.constantFrom(
    "",
    "\0",
    "a\0b",
    "'; DROP TABLE results; --",
    '"\\"',
    "\\ud800",
    "\u2028,\r\n",
    "NULL",
    "🦙".repeat(9),
  ),
);
const name = text.filter((it) => it !== "__proto__");
const plain = fc.dictionary(
  name,
  fc.jsonValue({ noUnicodeString: false }).map((it) => JSON.parse(JSON.stringify(it))),
  {
    maxKeys: 3,
    noNullPrototype: true,
  },
);
const finite = fc.double({ noNaN: true, noDefaultInfinity: true }).map((it) => it + 0);

/** Any result that a store should hold. */
export const anyResult: fc.Arbitrary<Result> = fc.record({
  key: fc.oneof({ weight: 4, arbitrary: fc.uuid() }, text),
  task: text,
  taskOptions: plain,
  seed: fc.integer({ min: -(2 ** 40), max: 2 ** 40 }),
  example: text,
  facets: fc.dictionary(name, fc.oneof(text, finite), { maxKeys: 3, noNullPrototype: true }),
  promptTokens: count,
  method: text,
  methodOptions: plain,
  budget: text,
  kept: double,
  bytes: count,
  answer: text,
  score: double,
  recall: fc.option(fc.array(double, { maxLength: 4 })),
  outputError: fc.option(fc.array(double, { maxLength: 4 })),
  prefillMs: double,
  compressMs: double,
  decodeMs: double,
  provenance: fc.record({
    model: text,
    revision: fc.option(text),
    weights: text,
    engine: text,
    precision: text,
    threads: count,
    versions: fc.dictionary(name, text, { maxKeys: 2, noNullPrototype: true }),
  }),
});

/** Results without two of one key. */
export const distinctResults = fc.uniqueArray(anyResult, { selector: ({ key }) => key, maxLength: 12 });

/** Cuts a list where the draws say. */
export const parted = <T>(all: readonly T[], parts: number, draws: readonly number[]): readonly (readonly T[])[] =>
  Array.from({ length: parts }, (_, part) => all.filter((_, i) => (draws[i] ?? 0) % parts === part));
