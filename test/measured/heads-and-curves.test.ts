/** Heads and curves that are measured on a model, against plain restatements, and their files. */
import { afterAll, beforeAll, describe, test } from "bun:test";
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import {
  compress,
  headKV,
  loadCurves,
  loadHeads,
  type Measured,
  type Method,
  measureCurves,
  measureHeads,
  prefill,
  saveMeasured,
  snapKV,
  type Tokenizer,
  window,
} from "../../src/index.ts";
import { shares } from "../../src/measured/curves.ts";
import { importanceOf } from "../../src/measured/future-importance.ts";
import { nonIncreasing } from "../../src/measured/non-increasing.ts";
import { observations } from "../../src/observations.ts";
import type { Tensor } from "../../src/tensor.ts";
import { faultOf } from "../support/fault.ts";
import { mean, sum } from "../support/numbers.ts";
import { plainAttention } from "../support/plain-attention.ts";
import { holds } from "../support/seed.ts";
import { type TinyModel, tinyModel } from "../support/tiny-model.ts";

/** A letter is a token. */
const letters: Tokenizer = {
  encode: (text) => Int32Array.from(text, (letter) => letter.charCodeAt(0) % 32),
  decode: (tokens) => Array.from(tokens, (token) => String.fromCharCode(64 + token)).join(""),
  chat: () => assert.fail("no conversation"),
};

let model: TinyModel;
let folder: string;
beforeAll(async () => {
  model = { ...(await tinyModel()), tokenizer: letters };
  folder = mkdtempSync(join(tmpdir(), "pyramidkv-measure-"));
});
afterAll(() => {
  model[Symbol.dispose]();
  rmSync(folder, { recursive: true, force: true });
});

const text = (length: number) => Int32Array.from({ length }, (_, i) => (i * i * 7 + 3 * i) % 31);
/** A whole text's layers, to restate attention on. */
async function observed(tokens: Int32Array) {
  using context = await prefill(model, tokens);
  const { read } = model.engine.kernels;
  return await Promise.all(
    observations(context).map(async (layer) => ({
      ...layer,
      keys: await read(layer.keys),
      values: await read(layer.values),
    })),
  );
}

describe("a head's retrieval score", () => {
  const question = { prompt: "ABCDEFGHIJKLMNOP QRST", answer: "XYZ", fact: "FGH" };

  test("is the share of attention to the fact, of the tokens that predict the answer, forced to be true", async () => {
    const scores = await measureHeads(model, [question]);
    const { kvHeads, queryHeads } = model.config;
    const tokens = letters.encode(`${question.prompt} XYZ`);
    const layers = await observed(tokens.subarray(0, -1)); // the answer's last token predicts nothing of it
    for (const [layer, own] of layers.entries()) {
      const rows = plainAttention(own, 4).map((queries) => mean(queries.map((row) => sum(row.slice(5, 8)))));
      const group = queryHeads / kvHeads;
      const expected = Array.from({ length: kvHeads }, (_, head) => mean(rows.slice(head * group, (head + 1) * group)));
      for (const [head, score] of expected.entries())
        assert.ok(Math.abs((scores.values[layer]?.[head] ?? Number.NaN) - score) < 1e-4);
    }
  });

  test("is the mean over prompts", async () => {
    const other = { ...question, fact: "MNOP" };
    const [a, b, both] = [
      await measureHeads(model, [question]),
      await measureHeads(model, [other]),
      await measureHeads(model, [question, other]),
    ];
    for (const [i, score] of both.values.flat().entries())
      assert.ok(Math.abs(score - ((a.values.flat()[i] ?? 0) + (b.values.flat()[i] ?? 0)) / 2) < 1e-6);
  });

  test("needs prompts, and facts that they hold", async () => {
    assert.equal((await faultOf(() => measureHeads(model, []))).code, "empty_prompt");
    const fault = await faultOf(() => measureHeads(model, [{ ...question, fact: "QQ" }]));
    assert.deepEqual([fault.code, fault.path], ["invalid_option", ["fact"]]);
    assert.equal(
      (await faultOf(() => measureHeads({ ...model, tokenizer: null }, [question]))).code,
      "tokenizer_missing",
    );
  });
});

describe("curves", () => {
  test("value an entry by the most that a later token draws from it: attention times the length of its output", async () => {
    const tokens = text(30);
    const { queryHeads, kvHeads, headDim: d } = model.config;
    const group = queryHeads / kvHeads;
    const layers = await observed(tokens);
    using context = await prefill(model, tokens.subarray(0, 24));
    const found = await importanceOf(model, context, tokens.subarray(24));
    for (const [layer, own] of layers.entries()) {
      const attention = plainAttention(own, 6);
      const { data: weights, dims } = own.outputProjection();
      const [hidden = 0, width = 0] = dims;
      for (let k = 0; k < kvHeads; k++)
        for (let j = 0; j < 24; j++) {
          const worths = Array.from({ length: group }, (_, g) => {
            const h = k * group + g;
            const outputs = Array.from({ length: hidden }, (_, row) =>
              sum(
                Array.from({ length: d }, (_, c) => {
                  return (weights[row * width + h * d + c] ?? 0) * (own.values.data[(k * 30 + j) * d + c] ?? 0);
                }),
              ),
            );
            const most = Math.max(...(attention[h] ?? []).map((row) => row[j] ?? Number.NaN));
            return most * Math.sqrt(sum(outputs.map((x) => x * x)));
          });
          const value = found[layer]?.data[k * 24 + j] ?? Number.NaN;
          assert.ok(Math.abs(value - mean(worths)) < 1e-4 * (1 + mean(worths)));
        }
    }
  });

  test("are tables of shares that grow with the budget, and add up to it", async () => {
    const curves = await measureCurves(model, [text(60), text(50)], { method: snapKV({ budget: 9 }), future: 10 });
    assert.equal(curves.tables.length, 99);
    let before: readonly number[] | null = null;
    for (const [i, table] of curves.tables.entries()) {
      const all = table.flat();
      assert.ok(Math.abs(mean(all) - (i + 1) / 100) < 0.01);
      all.forEach((share, head) => {
        assert.ok(share >= (before?.[head] ?? 0));
      });
      before = all;
    }
  });

  test("go by what each further entry adds in the order of the scores, made non-increasing", async () => {
    const [tokens, method] = [text(60), snapKV({ budget: 9 })];
    using context = await prefill(model, tokens.subarray(0, 50));
    const importance = await importanceOf(model, context, tokens.subarray(50));
    const gains: Tensor[] = [];
    for (const [layer, own] of observations(context).entries()) {
      const { kvHeads } = own;
      const scores = await method.score?.evaluate({ ...own, candidates: { from: 0, to: 42 } });
      const fitted = Array.from({ length: kvHeads }, (_, head) => {
        const score = (j: number) => scores?.data[head * 42 + j] ?? Number.NaN;
        const order = [...Array(42).keys()].sort((a, b) => score(b) - score(a) || a - b);
        return nonIncreasing(order.map((j) => importance[layer]?.data[head * 50 + j] ?? Number.NaN));
      });
      gains.push({ data: Float32Array.from(fitted.flat()), dims: [kvHeads, 42] });
    }
    const expected = shares(gains, model.config.kvHeads);
    const { tables } = await measureCurves(model, [tokens], { method, future: 10 });
    for (const [i, share] of tables.flat(2).entries()) assert.ok(Math.abs(share - (expected[i] ?? Number.NaN)) < 1e-4);
  });

  test("give each table to the largest gains of all heads together", () =>
    holds(
      fc.array(fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 5, maxLength: 5 }), {
        minLength: 1,
        maxLength: 4,
      }),
      (heads) => {
        const sorted = heads.map((gains) => gains.toSorted((a, b) => b - a));
        const gains = sorted.map((own) => ({ data: Float32Array.from(own), dims: [1, 5] }));
        const found = shares(gains, 1, 4);
        for (let table = 0; table < 4; table++) {
          const counts = sorted.map((_, head) => Math.round((found[table * heads.length + head] ?? Number.NaN) * 5));
          const chosen = sum(sorted.flatMap((own, head) => own.slice(0, counts[head])));
          const best = sorted.flat().toSorted((a, b) => b - a);
          assert.equal(sum(counts), (table + 1) * heads.length);
          assert.equal(chosen, sum(best.slice(0, (table + 1) * heads.length)));
        }
      },
    ));

  test("need texts that leave something to choose from, and scores", async () => {
    const method = snapKV({ budget: 9 });
    assert.equal((await faultOf(() => measureCurves(model, [], { method }))).code, "empty_prompt");
    assert.match((await faultOf(() => measureCurves(model, [text(72)], { method }))).message, /longer than 72/);
    const unscored = await faultOf(() => measureCurves(model, [text(90)], { method: window({ budget: 9 }) }));
    assert.match(unscored.message, /without scores/);
  });
});

test("numbers made non-increasing keep their sum, change least in squares, and stay if they do not rise", () =>
  holds(fc.array(fc.integer({ min: -9, max: 9 }), { maxLength: 7 }), (values) => {
    const fitted = nonIncreasing(values);
    assert.ok(Math.abs(sum(fitted) - sum(values)) < 1e-9);
    fitted.forEach((value, i) => {
      assert.ok(value <= (fitted[i - 1] ?? Number.POSITIVE_INFINITY) + 1e-12);
    });
    // The closed form: the least, over where a stretch begins, of the greatest mean, over where it ends.
    for (const [i, value] of fitted.entries()) {
      const greatest = values.slice(0, i + 1).map((_, from) => {
        const ends = values.slice(i).map((_, to) => mean(values.slice(from, i + to + 1)));
        return Math.max(...ends);
      });
      assert.ok(Math.abs(value - Math.min(...greatest)) < 1e-9, `${fitted} of ${values}`);
    }
    if (values.every((value, i) => value <= (values[i - 1] ?? value))) assert.deepEqual(fitted, values);
  }));

describe("files", () => {
  const path = (name: string) => join(folder, name);
  const question = { prompt: "ABCDEFGHIJKLMNOP QRST", answer: "XYZ", fact: "FGH" };

  test("give back what was saved, with how it was measured, and methods work with it", async () => {
    const heads = await measureHeads(model, [question], { settings: { task: "letters", prompts: 1 } });
    await saveMeasured(path("heads.safetensors"), heads);
    const loaded = await loadHeads(model, path("heads.safetensors"));
    assert.deepEqual(loaded, heads);
    assert.deepEqual(loaded.provenance.settings, { task: "letters", prompts: 1 });
    assert.equal(loaded.provenance.tokens, 24); // the answer's last is not run
    const curves = await measureCurves(model, [text(60)], { method: snapKV({ budget: 9 }), future: 10 });
    await saveMeasured(path("curves.safetensors"), curves);
    assert.deepEqual(await loadCurves(model, path("curves.safetensors")), curves);
    assert.deepEqual(curves.provenance.settings, { method: "snapkv", future: 10 });
    const method = headKV({ budget: 12, heads: loaded });
    assert.equal(method.options.heads, heads.label);
    using context = await prefill(model, text(40), { observe: [method] });
    using cache = await compress(context, method);
    assert.ok(cache.bytes < context.cache.bytes);
  });

  test("a signal ends measuring between texts; progress counts tokens", async () => {
    const [method, seen]: [Method, unknown[]] = [snapKV({ budget: 9 }), []];
    const controller = new AbortController();
    const onProgress = (...done: unknown[]) => {
      seen.push(done);
      controller.abort();
    };
    const stopped = { onProgress, signal: controller.signal };
    const texts = [text(60), text(50)];
    const faults = [
      await faultOf(() => measureCurves(model, texts, { method, future: 10, ...stopped })),
      await faultOf(() => measureHeads(model, [question], stopped)),
    ];
    assert.deepEqual([faults.map(({ code }) => code), seen], [["aborted", "aborted"], [[60, 110]]]);
  });

  test("with values that no head can have are corrupt", async () => {
    const tampered = async (measured: Measured, name: string, data: number[], dims: number[]) => {
      const tensors = new Map([[name, { data: Float32Array.from(data), dims }]]);
      await saveMeasured(path("bad.safetensors"), { ...measured, tensors });
    };
    const { layers, kvHeads } = model.config;
    const all = new Array(layers * kvHeads).fill(0.5);
    const heads = await measureHeads(model, [question]);
    const cases: readonly [string, number[], number[]][] = [
      ["heads", [-1, ...all.slice(1)], [layers, kvHeads]],
      ["heads", all, [layers * kvHeads, 1]],
      ["scores", all, [layers, kvHeads]],
    ];
    for (const [name, data, dims] of cases) {
      await tampered(heads, name, data, dims);
      assert.equal((await faultOf(() => loadHeads(model, path("bad.safetensors")))).code, "corrupt_file", `${dims}`);
    }
    const curves = await measureCurves(model, [text(60)], { method: snapKV({ budget: 9 }), future: 10 });
    for (const [data, dims] of [
      [
        [1.5, ...all.slice(1)],
        [1, layers, kvHeads],
      ],
      [all, [1, layers * kvHeads, 1]],
      [all, [layers, kvHeads]],
      [[], [0, layers, kvHeads]],
    ] as const) {
      await tampered(curves, "curves", [...data], [...dims]);
      assert.equal((await faultOf(() => loadCurves(model, path("bad.safetensors")))).code, "corrupt_file", `${dims}`);
    }
  });
});
