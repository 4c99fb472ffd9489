/** What prefill observes beyond last queries and column sums: moments of the queries, and what probes see. */
import { describe, test } from "bun:test";
import assert from "node:assert/strict";
import fc from "fast-check";
import {
  chain,
  compressInBlocks,
  define,
  lastTokens,
  meanOverGroup,
  type Probe,
  prefill,
  type Score,
  uniform,
} from "../src/index.ts";
import { inverseFrequencies, rotate } from "../src/model/rope.ts";
import { maxDifference } from "./support/golden.ts";
import { holds } from "./support/seed.ts";
import { sharedModel } from "./support/tiny-model.ts";

const token = fc.integer({ min: 0, max: 63 });
const tokens = fc.array(token, { minLength: 1, maxLength: 40 });
const chunk = fc.constantFrom(3, 16, 512);
const sliding = fc.constantFrom(null, 6);

/** A method that only asks to see something. */
const seeing = (needs: Score["needs"]) =>
  define("seeing", { options: {} }, () => ({
    keep: lastTokens(1),
    score: { needs, evaluate: () => assert.fail("never scored") },
    allocate: uniform(),
  }))({ budget: 1000 });

const columnsFrom = (name: string, sequences: readonly (readonly number[])[], join: Probe["join"] = "sum"): Probe => ({
  name,
  sequences: () => sequences.map((of) => Int32Array.from(of)),
  async see({ queries, keys, kernels, slidingWindow, length }) {
    const { data, dims } = await kernels.columnSums(queries, keys, { slidingWindow });
    const [heads = 0, columns = 0] = dims;
    return { data: data.filter((_, i) => i % columns < length), dims: [heads, length] };
  },
  join,
});

describe("moments", () => {
  test("are sums over the queries before RoPE, the first four left out, whatever the chunk", () =>
    holds(
      fc.tuple(tokens, chunk),
      async ([prompt, chunk]) => {
        const model = await sharedModel({ headDim: 8 }, 1);
        using context = await prefill(model, Int32Array.from(prompt), {
          observe: [seeing({ moments: true, queries: 99 })],
          chunk,
        });
        const { queryHeads: heads, headDim: d } = model.config;
        for (const [layer, moments] of (context.observation.moments ?? assert.fail()).entries()) {
          const { data } = context.observation.queries[layer] ?? assert.fail();
          const [sums, products] = [new Float64Array(heads * d), new Float64Array(heads * d * d)];
          for (let h = 0; h < heads; h++)
            for (let i = 4; i < prompt.length; i++) {
              const query = data.slice((h * prompt.length + i) * d, (h * prompt.length + i + 1) * d);
              rotate(query, inverseFrequencies(model.config, layer), -i);
              for (let a = 0; a < d; a++) {
                sums[h * d + a] = (sums[h * d + a] ?? 0) + (query[a] ?? 0);
                for (let b = 0; b < d; b++) {
                  const at = (h * d + a) * d + b;
                  products[at] = (products[at] ?? 0) + (query[a] ?? 0) * (query[b] ?? 0);
                }
              }
            }
          assert.equal(moments.count, Math.max(0, prompt.length - 4));
          assert.ok(maxDifference(moments.sums, sums) < 1e-3);
          assert.ok(maxDifference(moments.products, products) < 1e-2);
        }
      },
      20,
    ));

  test("and nothing else of a prefill changes for them", async () => {
    const model = await sharedModel({}, 1);
    const prompt = Int32Array.from({ length: 30 }, (_, i) => (i * 7) % 64);
    using plain = await prefill(model, prompt, { chunk: 7 });
    using asked = await prefill(model, prompt, { chunk: 7, observe: [seeing({ moments: true })] });
    assert.equal(plain.observation.moments, null);
    assert.deepEqual(asked.observation.queries, plain.observation.queries);
    assert.deepEqual(asked.logits, plain.logits);
    assert.deepEqual(asked.layers, plain.layers);
  });
});

describe("probes", () => {
  test("see what the same tokens would, had they been the prompt's next, and leave no trace", () =>
    holds(
      fc.tuple(tokens, fc.array(tokens, { minLength: 1, maxLength: 3 }), chunk, sliding, fc.constantFrom("sum", "max")),
      async ([prompt, sequences, chunk, slidingWindow, join]) => {
        const model = await sharedModel({ slidingWindow }, 2);
        const ids = Int32Array.from(prompt);
        using plain = await prefill(model, ids, { chunk });
        const method = seeing({ probes: [columnsFrom("columns", sequences, join)] });
        using context = await prefill(model, ids, { observe: [method], chunk });
        assert.deepEqual(context.layers, plain.layers);
        const expected: Float32Array[] = [];
        for (const sequence of sequences) {
          using longer = await prefill(model, Int32Array.from([...prompt, ...sequence]), {
            observe: [seeing({ queries: 99 })],
          });
          for (const [layer, { keys }] of longer.layers.entries()) {
            const { data, dims } = longer.observation.queries[layer] ?? assert.fail();
            const [heads = 0, total = 0, d = 0] = dims;
            const queries = data.filter((_, i) => i % (total * d) >= prompt.length * d);
            const view = {
              queries: { data: queries, dims: [heads, sequence.length, d] },
              keys: { data: keys, dims: [2, total, d] },
            };
            const { kernels } = model.engine;
            const seen = await columnsFrom("", []).see({
              ...view,
              layer,
              length: prompt.length,
              slidingWindow,
              kernels,
            });
            const before = expected[layer];
            expected[layer] =
              before === undefined
                ? seen.data
                : before.map((x, i) => (join === "sum" ? x + (seen.data[i] ?? 0) : Math.max(x, seen.data[i] ?? 0)));
          }
        }
        for (const [layer, { data }] of (context.observation.probes.get("columns") ?? assert.fail()).entries())
          assert.ok(maxDifference(data, expected[layer] ?? []) < 1e-4);
      },
      15,
    ));

  test("of one name are run once, and their score finds them", async () => {
    const model = await sharedModel({}, 1);
    let runs = 0;
    const probe = { ...columnsFrom("same", [[1, 2]]), sequences: () => [Int32Array.of(1, 2 + 0 * runs++)] };
    using context = await prefill(model, Int32Array.of(5, 6, 7), {
      observe: [seeing({ probes: [probe] }), seeing({ probes: [probe] })],
    });
    assert.equal(runs, 1);
    assert.equal(context.observation.probes.size, 1);
  });

  test("that have nothing to run, a wrong token or no room are refused with their name", async () => {
    const model = await sharedModel({ contextLength: 32 }, 1);
    const observe = (sequences: number[][]) =>
      prefill(model, new Int32Array(30), { observe: [seeing({ probes: [columnsFrom("p", sequences)] })] });
    await assert.rejects(observe([]), { code: "invalid_option", path: ["observe", "p"] });
    await assert.rejects(observe([[1], []]), { code: "invalid_option" });
    await assert.rejects(observe([[1, 64]]), { code: "invalid_token", path: ["observe", "p", 1] });
    await assert.rejects(observe([[1, 2, 3]]), {
      code: "prompt_too_long",
      message: /30 tokens and 3 to run after them/,
    });
  });

  test("and all queries are not for prompts that are compressed in blocks", async () => {
    const model = await sharedModel({}, 1);
    for (const needs of [{ probes: [columnsFrom("p", [[1]])] }, { queries: Number.POSITIVE_INFINITY }]) {
      const refused = compressInBlocks(model, new Int32Array(8), seeing(needs), { working: 2000 });
      await assert.rejects(refused, { code: "invalid_option", path: ["compressInBlocks", "method"] });
    }
  });
});

test("all queries are observed where a score needs them", async () => {
  const model = await sharedModel({}, 1);
  const method = seeing(
    chain({ needs: { queries: Number.POSITIVE_INFINITY }, evaluate: () => assert.fail() }, meanOverGroup).needs,
  );
  using context = await prefill(model, new Int32Array(100), { observe: [method], chunk: 33 });
  assert.deepEqual(context.observation.queries[0]?.dims.at(1), 100);
});
