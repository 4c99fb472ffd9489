/** What KVzip and the oracle run after the prompt, and what they make of it. */
import { describe, test } from "bun:test";
import assert from "node:assert/strict";
import fc from "fast-check";
import { onnxKernels, referenceKernels } from "../../kernels/index.ts";
import { compress, kvzip, type MethodFactory, oracle, prefill } from "../../src/index.ts";
import { normals } from "../support/arbitraries.ts";
import { assertBlockLaw, blockLawsOf } from "../support/block-laws.ts";
import { faultOf } from "../support/fault.ts";
import { letters } from "../support/letter-task.ts";
import { assertMethodLaw, methodLaws } from "../support/method-laws.ts";
import { assertNetworkLaw, networkLaws } from "../support/network-laws.ts";
import { range, sum } from "../support/numbers.ts";
import { attention, best, groupMean, keeps } from "../support/plain-scores.ts";
import { holds } from "../support/seed.ts";
import { sharedModel } from "../support/tiny-model.ts";

const [repeats] = kvzip({ budget: 9, chunk: 10, suffix: "!" }).needs.probes;
const [told] = oracle({ budget: 9, answer: [3, 4] }).needs.probes;
const kernels = [referenceKernels(), onnxKernels({ threads: 2 })];

/** A probe's sequence on a random layer: attention of its own tokens to the prompt, for the formulas. */
const sequences = fc.record({
  seed: fc.nat(1e6),
  kvHeads: fc.integer({ min: 1, max: 3 }),
  group: fc.integer({ min: 1, max: 3 }),
  length: fc.integer({ min: 1, max: 30 }),
  more: fc.integer({ min: 1, max: 12 }),
  slidingWindow: fc.constantFrom(null, 7),
});

function sees(probe: typeof repeats, combine: (column: readonly number[]) => number) {
  return holds(
    sequences,
    async ({ seed, kvHeads, group, length, more, slidingWindow }) => {
      const queries = normals(seed, kvHeads * group, more, 5);
      const keys = normals(seed + 1, kvHeads, length + more, 5);
      for (const on of kernels) {
        const view = { layer: 0, length, queries, keys, slidingWindow, kernels: on };
        const { data, dims } = (await probe?.see(view)) ?? assert.fail("no probe");
        assert.deepEqual(dims, [kvHeads * group, length]);
        for (const h of range(0, kvHeads * group)) {
          const rows = range(length, length + more).map((i) => attention({ queries, keys, slidingWindow }, h, i));
          for (const j of range(0, length)) {
            const expected = combine(rows.map((row) => row[j] ?? Number.NaN));
            assert.ok(Math.abs((data[h * length + j] ?? Number.NaN) - expected) < 1e-5);
          }
        }
      }
    },
    40,
  );
}

describe("KVzip", () => {
  test("repeats the prompt chunk by chunk, each after its published request", () => {
    const tokens = Int32Array.from({ length: 23 }, (_, i) => 100 + i);
    const said: string[] = [];
    const encode = (text: string) => Int32Array.of(-said.push(text));
    const found = repeats?.sequences({ tokens, text: null, encode }).map((of) => [...of]);
    assert.deepEqual(said, [
      "\n\nRepeat the previous context exactly.",
      "!",
      "\n\nRepeat the part of the previous context exactly, starting with ",
      "!",
      "\n\nRepeat the part of the previous context exactly, starting with ",
      "!",
    ]);
    assert.deepEqual(found, [
      [-1, -2, ...range(100, 110)],
      [-3, ...range(102, 110), -4, ...range(110, 120)],
      [-5, ...range(112, 120), -6, ...range(120, 123)],
    ]);
  });

  test("without a tokenizer repeats without being asked", () => {
    const prompt = { tokens: Int32Array.of(5, 6, 7), text: null, encode: null };
    assert.deepEqual(repeats?.sequences(prompt), [Int32Array.of(5, 6, 7)]);
  });

  test("sees the most that any of these tokens gives to each position", () =>
    sees(repeats, (column) => Math.max(...column)));

  test("keeps the sinks, and of all layers and heads together what one head of the group looked up most", () =>
    keeps(
      3,
      (budget) => kvzip({ budget, sinks: 2 }),
      ({ method, layers, candidates, kept }) => {
        const all = layers.flatMap(({ probes, kvHeads, length, layer }) => {
          const seen = [...probes.values()][0] ?? assert.fail("nothing seen");
          const group = (seen.dims[0] ?? 0) / kvHeads;
          return range(0, kvHeads).flatMap((head) =>
            candidates.map((j) => {
              const of = range(head * group, (head + 1) * group).map((h) => seen.data[h * length + j] ?? Number.NaN);
              return { layer, head, j, score: Math.max(...of) };
            }),
          );
        });
        all.sort((a, b) => b.score - a.score || a.layer - b.layer || a.head - b.head || a.j - b.j);
        const chosen = all.slice(0, (method.budget - 2) * kept.flat().length);
        for (const [layer, heads] of kept.entries())
          for (const [head, own] of heads.entries()) {
            const expected = chosen.filter((one) => one.layer === layer && one.head === head).map(({ j }) => j);
            assert.deepEqual(
              own,
              expected.sort((a, b) => a - b),
            );
          }
      },
    ));

  test("refuses a prompt that cannot be repeated within the model's context", async () => {
    const model = await sharedModel({ contextLength: 32 }, 1);
    const fault = await faultOf(() => prefill(model, new Int32Array(20), { observe: [kvzip({ budget: 9 })] }));
    assert.equal(fault.code, "prompt_too_long");
  });
});

describe("the oracle", () => {
  const knowing: MethodFactory = ({ budget }) => oracle({ budget, answer: [1, 2, 3] });

  for (const law of methodLaws) test(law, () => assertMethodLaw(law, knowing));
  for (const law of networkLaws) test(law, () => assertNetworkLaw(law, knowing, 8));
  for (const law of blockLawsOf(knowing)) test(law, () => assertBlockLaw(law, knowing, 5));

  test("sees what the answer's tokens attend to, summed", () => sees(told, sum));

  test("keeps the best by the mean of the group", () =>
    keeps(
      1,
      (budget) => oracle({ budget, answer: [1, 2, 3], floor: 1 }),
      ({ method, layers, candidates, kept }) => {
        for (const [l, layer] of layers.entries()) {
          const seen = [...layer.probes.values()][0] ?? assert.fail("nothing seen");
          const scores = groupMean(layer, (h) => [...seen.data.subarray(h * layer.length, (h + 1) * layer.length)]);
          assert.deepEqual(
            kept[l],
            scores.map((row) => best(row, candidates, method.budget)),
          );
        }
      },
    ));

  test("is told by text or by token ids, alike", async () => {
    const model = { ...(await sharedModel({}, 1)), tokenizer: letters };
    const positions = async (answer: string | Int32Array | readonly number[]) => {
      const method = oracle({ budget: 5, answer });
      using context = await prefill(model, "what is the third letter of cheese", { observe: [method] });
      using cache = await compress(context, method);
      return cache.lengths.map((heads, layer) => heads.map((_, head) => [...cache.positions(layer, head)]));
    };
    const ids = letters.encode("eez");
    assert.deepEqual(await positions("eez"), await positions(ids));
    assert.deepEqual(await positions([...ids]), await positions(ids));
    assert.notDeepEqual(await positions("Q7"), await positions(ids));
  });

  test("must be told, with what the model can read", async () => {
    const wrong: readonly unknown[] = [undefined, "", [], new Int32Array(0), [1.5], [-1], ["a"], 7, null];
    for (const answer of wrong) {
      const fault = await faultOf(() => Reflect.apply(oracle, null, [{ budget: 9, answer }]));
      assert.deepEqual([fault.code, fault.path], ["invalid_option", ["oracle", "answer"]]);
    }
    const model = await sharedModel({}, 1);
    const asked = (answer: string | number[]) =>
      prefill(model, new Int32Array(30), { observe: [oracle({ budget: 9, answer })] });
    assert.deepEqual((await faultOf(() => asked("text"))).code, "tokenizer_missing");
    assert.deepEqual((await faultOf(() => asked([64]))).code, "invalid_token");
  });
});
