/** Measurements: what they are, that files bring them back, and which files are refused. */
import { afterAll, beforeAll, describe, test } from "bun:test";
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import {
  expectedAttention,
  loadFilters,
  loadQueryStatistics,
  measureFilters,
  measureQueryStatistics,
  prefill,
  qFilters,
  saveMeasured,
} from "../../src/index.ts";
import { select } from "../../src/methods/select.ts";
import { observations } from "../../src/observations.ts";
import { principalDirection } from "../../src/scoring/principal.ts";
import { faultOf } from "../support/fault.ts";
import { fixture, golden, maxDifference } from "../support/golden.ts";
import { sharedModel } from "../support/tiny-model.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "pyramidkv-measured-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const shape = { layers: 2, queryHeads: 4, kvHeads: 2, headDim: 8, contextLength: 1024 };
const model = await sharedModel(shape, 1);
const sequence = (seed: number, length: number) => Int32Array.from({ length }, (_, i) => (seed + i * i * 7) % 64);
const corpus = [sequence(1, 60), sequence(5, 700), sequence(9, 7)];

/** Every query of a layer's head, after RoPE, over the whole corpus. */
async function allQueries(layer: number, head: number): Promise<Float32Array[]> {
  const rows: Float32Array[] = [];
  for (const tokens of corpus) {
    const { queries } = await model.engine.prefill({ tokens, chunk: 1000, lastQueries: tokens.length });
    for (let i = 0; i < tokens.length; i++) {
      const at = (head * tokens.length + i) * 8;
      rows.push((queries[layer] ?? assert.fail()).slice(at, at + 8));
    }
  }
  return rows;
}

describe("filters", () => {
  test("are the mean over a group of the main directions of all queries after RoPE", async () => {
    const { tensors, provenance } = await measureFilters(model, corpus);
    const { data, dims } = tensors.get("filters") ?? assert.fail();
    assert.deepEqual(dims, [2, 2, 8]);
    assert.equal(provenance.tokens, 767);
    for (const layer of [0, 1])
      for (const kvHead of [0, 1]) {
        const expected = new Float64Array(8);
        for (const head of [2 * kvHead, 2 * kvHead + 1]) {
          const [products, sums] = [new Float64Array(64), new Float64Array(8)];
          for (const query of await allQueries(layer, head))
            for (const [a, left] of query.entries()) {
              sums[a] = (sums[a] ?? 0) + left;
              for (const [b, right] of query.entries()) products[8 * a + b] = (products[8 * a + b] ?? 0) + left * right;
            }
          for (const [c, value] of principalDirection(products, sums).entries())
            expected[c] = (expected[c] ?? 0) + value / 2;
        }
        const at = (2 * layer + kvHead) * 8;
        assert.ok(maxDifference(data.slice(at, at + 8), expected) < 1e-3);
      }
  });

  test("come back from their file, and keep what they kept", async () => {
    const filters = await measureFilters(model, corpus);
    const path = join(folder, "filters.safetensors");
    await saveMeasured(path, filters);
    assert.deepEqual(readdirSync(folder), ["filters.safetensors"]);
    const loaded = await loadFilters(model, path);
    assert.deepEqual(loaded, filters);
    assert.deepEqual(loaded.provenance.weights, (await model.provenance()).weights);
    const tensor = golden(relative(fixture(""), path))("filters");
    assert.deepEqual(tensor.dims, [2, 2, 8]);
    using context = await prefill(model, sequence(3, 50));
    const [kept, again] = [qFilters({ budget: 9, filters }), qFilters({ budget: 9, filters: loaded })];
    assert.deepEqual(await select(again, observations(context)), await select(kept, observations(context)));
    assert.equal(again.options.filters, filters.label);
    assert.match(filters.label, /^filters sha256:[0-9a-f]{64}$/);
  });

  test("of another corpus have another name", async () => {
    const [one, other] = [await measureFilters(model, corpus), await measureFilters(model, corpus.slice(1))];
    assert.notEqual(one.label, other.label);
    assert.notEqual(one.provenance.corpus, other.provenance.corpus);
  });
});

describe("query statistics", () => {
  test("of one prompt are the prompt's own", async () => {
    const statistics = await measureQueryStatistics(model, [sequence(3, 50)]);
    const method = expectedAttention({ budget: 9 });
    using context = await prefill(model, sequence(3, 50), { observe: [method] });
    const measured = expectedAttention({ budget: 9, statistics });
    assert.deepEqual(await select(measured, observations(context)), await select(method, observations(context)));
  });

  test("weigh every query alike, whichever sequence it is of", async () => {
    const whole = await measureQueryStatistics(model, corpus);
    const mean = whole.tensors.get("mean") ?? assert.fail();
    const covariance = whole.tensors.get("covariance") ?? assert.fail();
    assert.deepEqual(
      [mean.dims, covariance.dims],
      [
        [2, 4, 8],
        [2, 4, 8, 8],
      ],
    );
    const weights = corpus.map(({ length }) => (length - 4) / (767 - 12));
    const parts = await Promise.all(corpus.map((tokens) => measureQueryStatistics(model, [tokens])));
    const expected = new Float64Array(64);
    for (const [i, part] of parts.entries())
      for (const [c, value] of (part.tensors.get("mean")?.data ?? []).entries())
        expected[c] = (expected[c] ?? 0) + value * (weights[i] ?? 0);
    assert.ok(maxDifference(mean.data, expected) < 1e-4);
    const path = join(folder, "statistics.safetensors");
    await saveMeasured(path, whole);
    assert.deepEqual(await loadQueryStatistics(model, path), whole);
  });

  test("need more than sinks", async () => {
    const fault = await faultOf(() => measureQueryStatistics(model, [sequence(1, 4), sequence(2, 3)]));
    assert.deepEqual([fault.code, fault.path], ["invalid_option", ["corpus"]]);
  });
});

describe("refused is", () => {
  const save = async (name: string) => {
    const path = join(folder, name);
    await saveMeasured(path, await measureFilters(model, [sequence(1, 9)]));
    return path;
  };

  test("what was measured on other weights, of whatever shape", async () => {
    const path = await save("other.safetensors");
    const fault = await faultOf(async () => loadFilters(await sharedModel(shape, 2), path));
    assert.equal(fault.code, "wrong_model");
    assert.match(
      fault.message,
      /measured on random-1, weights random-1, but must be of the weights random-2: measure again on random-2/,
    );
  });

  test("another measurement, and a file that is none", async () => {
    const path = await save("kind.safetensors");
    const fault = await faultOf(() => loadQueryStatistics(model, path));
    assert.equal(fault.code, "unsupported_format");
    assert.match(fault.message, /filters, but must be .* query-statistics/);
    const weights = new URL("../fixtures/tiny/llama/model.safetensors", import.meta.url).pathname;
    assert.equal((await faultOf(() => loadFilters(model, weights))).code, "unsupported_format");
    assert.equal((await faultOf(() => loadFilters(model, join(folder, "none.safetensors")))).code, "model_not_found");
  });

  test("a file that was cut, or holds no numbers", async () => {
    const path = await save("whole.safetensors");
    const bytes = readFileSync(path);
    for (const end of [0, 7, 30, bytes.length - 1]) {
      const cut = join(folder, "cut.safetensors");
      writeFileSync(cut, bytes.subarray(0, end));
      assert.equal((await faultOf(() => loadFilters(model, cut))).code, "corrupt_file");
    }
    const broken = Uint8Array.from(bytes);
    broken.fill(0xff, bytes.length - 4);
    const path2 = join(folder, "broken.safetensors");
    writeFileSync(path2, broken);
    const fault = await faultOf(() => loadFilters(model, path2));
    assert.deepEqual([fault.code, fault.path], ["corrupt_file", [path2, "filters"]]);
  });

  test("a corpus without tokens, with one that the model lacks, or longer than its context", async () => {
    const codes: unknown[] = [];
    for (const wrong of [[], [new Int32Array(0)], [Int32Array.of(1, 64)], [new Int32Array(100_000)]])
      codes.push((await faultOf(() => measureFilters(model, wrong))).code);
    assert.deepEqual(codes, ["empty_prompt", "empty_prompt", "invalid_token", "prompt_too_long"]);
  });

  test("a place that cannot be written, and nothing is left there", async () => {
    const before = readdirSync(folder);
    const filters = await measureFilters(model, [sequence(1, 9)]);
    assert.equal((await faultOf(() => saveMeasured(join(folder, "no", "where"), filters))).code, "disk_error");
    assert.deepEqual(readdirSync(folder), before);
  });
});

test("a signal ends measuring between sequences; progress counts tokens", async () => {
  const seen: unknown[] = [];
  await measureFilters(model, corpus, { onProgress: (...done) => seen.push(done) });
  assert.deepEqual(seen, [
    [60, 767],
    [760, 767],
    [767, 767],
  ]);
  const controller = new AbortController();
  const onProgress = () => controller.abort();
  const fault = await faultOf(() => measureFilters(model, corpus, { onProgress, signal: controller.signal }));
  assert.equal(fault.code, "aborted");
});
