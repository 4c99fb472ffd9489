/** Cached graphs: the same numbers as from memory, and nothing but a whole, current graph is ever used. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { cp, mkdir, open, readdir, readFile, rm, stat, truncate, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { buildDecoder } from "../../src/engine/onnx/decoder.ts";
import { cachedGraph } from "../../src/engine/onnx/graph-cache/index.ts";
import { type LoadOptions, loadModel } from "../../src/index.ts";
import { openModel } from "../../src/model/open.ts";
import { faultOf } from "../support/fault.ts";
import { fixture, maxDifference } from "../support/golden.ts";
import { graphStage, logitsOf } from "../support/graph-stage.ts";
import { writeQuantised } from "../support/quantised-model.ts";

setDefaultTimeout(60_000);

const WEIGHT = "model.layers.1.mlp.down_proj.weight";

test("memory, a new graph, the same one again: equal logits, and the graph is written once", async () => {
  await using at = await graphStage();
  const expected = await at.logits({ graphCache: false });
  expect(await at.entries()).toEqual([]);
  expect(await at.logits()).toEqual(expected);
  const [name = ""] = await at.entries();
  const writtenAt = async () => (await stat(join(at.graphs, name, "manifest.json"), { bigint: true })).mtimeNs;
  const written = await writtenAt();
  expect(await at.logits()).toEqual(expected);
  expect(await at.entries()).toEqual([name]);
  expect(await writtenAt()).toBe(written);
});

test("mapped weights give the same numbers, up to the order of sums", async () => {
  await using at = await graphStage();
  const expected = await at.logits({ graphCache: false });
  for (const _ of ["cold", "warm"])
    expect(maxDifference(await at.logits({ mapped: true }), expected)).toBeLessThan(1e-4);
  expect(await at.entries()).toHaveLength(1);
});

test.each<[string, (folder: string) => Promise<unknown>]>([
  ["a truncated weight", (folder) => truncate(join(folder, WEIGHT), 100)],
  ["a flipped bit in a weight", (folder) => flip(join(folder, WEIGHT), 777)],
  ["a flipped bit in the graph", (folder) => flip(join(folder, "decoder.onnx"), 40)],
  ["a longer weight", (folder) => writeFile(join(folder, WEIGHT), "more", { flag: "a" })],
  ["a weight that is gone", (folder) => rm(join(folder, WEIGHT))],
  ["a weight that is a folder", (folder) => rm(join(folder, WEIGHT)).then(() => mkdir(join(folder, WEIGHT)))],
  ["no manifest", (folder) => rm(join(folder, "manifest.json"))],
  ["a manifest of another shape", (folder) => writeFile(join(folder, "manifest.json"), "[]")],
])("a folder with %s is noticed and built again", async (_, damage) => {
  await using at = await graphStage();
  const expected = await at.logits();
  const [name = ""] = await at.entries();
  const folder = join(at.graphs, name);
  const whole = await contents(folder);
  await damage(folder);
  expect(await at.logits()).toEqual(expected);
  expect(await at.entries()).toEqual([name]);
  expect(await contents(folder)).toEqual(whole);
});

test("a model whose file changed gets a new graph, and the old one goes, with what was left half made", async () => {
  await using at = await graphStage();
  await at.logits();
  const [before = ""] = await at.entries();
  await mkdir(join(at.graphs, `${before.split("-")[0]}.dead.tmp`));
  await cp(fixture("tiny/llama/model.safetensors"), join(at.model, "model.safetensors"));
  const later = new Date(Date.now() + 5_000);
  await utimes(join(at.model, "model.safetensors"), later, later);
  await at.logits();
  const after = await at.entries();
  expect(after).toHaveLength(1);
  expect(after).not.toEqual([before]);
});

test("graphs of models that are gone are removed when another is made; those of others stay", async () => {
  await using at = await graphStage();
  await using other = await graphStage("tiny/mistral-sliding", at.cacheDir);
  await using third = await graphStage("tiny/llama3-rope", at.cacheDir);
  await at.logits();
  const first = await at.entries();
  await other.logits();
  expect(await at.entries()).toEqual(expect.arrayContaining(first));
  expect(await at.entries()).toHaveLength(2);
  await rm(at.model, { recursive: true });
  await third.logits();
  expect(await at.entries()).toHaveLength(2);
  expect(await at.entries()).not.toEqual(expect.arrayContaining(first));
});

test("each precision of a model has its graph, and one does not take the other's away", async () => {
  await using at = await graphStage();
  const path = await writeQuantised(join(at.root, "q.gguf"), (i) => (i === 0 ? "Q8_0" : "Q4_1"));
  const logits = async (options: LoadOptions) => {
    using model = await loadModel(path, { threads: 1, cacheDir: at.cacheDir, graphCache: true, ...options });
    return await logitsOf(model);
  };
  const expected = {
    fp32: await logits({ graphCache: false }),
    fast: await logits({ precision: "fast", graphCache: false }),
  };
  expect(expected.fast).not.toEqual(expected.fp32);
  expect(await logits({ precision: "fp32" })).toEqual(expected.fp32);
  const [fp32 = ""] = await at.entries();
  expect(await logits({ precision: "fast" })).toEqual(expected.fast);
  const both = await at.entries();
  expect(both).toHaveLength(2);
  expect(both).toContain(fp32);
  for (const precision of ["fp32", "fast"] as const) expect(await logits({ precision })).toEqual(expected[precision]);
  const fast = join(at.graphs, both.find((name) => name !== fp32) ?? "");
  const quants = (await readdir(fast)).find((name) => name.endsWith(".quants")) ?? "";
  await flip(join(fast, quants), 7);
  expect(await logits({ precision: "fast" })).toEqual(expected.fast);
  await utimes(path, new Date(), new Date(Date.now() + 5_000));
  expect(await logits({ precision: "fast" })).toEqual(expected.fast);
  const after = await at.entries();
  expect(after).toHaveLength(2);
  expect(after).toContain(fp32); // outdated, but the next fp32 load's to replace
  expect(after).not.toEqual(both);
});

test("a model in use goes on while its graph is replaced", async () => {
  await using at = await graphStage();
  using model = await at.load({ mapped: true });
  const expected = await logitsOf(model);
  const [name = ""] = await at.entries();
  await rm(join(at.graphs, name, "manifest.json"));
  await at.logits();
  expect(await logitsOf(model)).toEqual(expected);
});

test("weights that change while their graph is written leave no graph", async () => {
  await using at = await graphStage();
  using files = await openModel(at.model);
  let looks = 0;
  const weights = { ...files.weights, identity: () => `look ${looks++}` };
  const cache = { folder: at.graphs, always: true };
  expect(await cachedGraph(buildDecoder(files.config, weights), weights, "fp32", cache)).toBeNull();
  expect(looks).toBe(2);
  expect(await at.entries()).toEqual([]);
});

test("a fault of the weights is told, and leaves no graph", async () => {
  await using at = await graphStage();
  using files = await openModel(at.model);
  const model = buildDecoder(files.config, files.weights);
  await truncate(join(at.model, "model.safetensors"), 5_000);
  const fault = await faultOf(() => cachedGraph(model, files.weights, "fp32", { folder: at.graphs, always: true }));
  expect(fault.code).toBe("corrupt_file");
  expect(await at.entries()).toEqual([]);
});

test("a small model's graph is not kept unless asked for", async () => {
  await using at = await graphStage();
  await at.logits({ graphCache: undefined });
  expect(await at.entries()).toEqual([]);
});

test("mapped weights without a cache are refused", async () => {
  const fault = await faultOf(() => loadModel(fixture("tiny/llama"), { mapped: true, graphCache: false }));
  expect(fault.code).toBe("invalid_option");
  expect(fault.path).toEqual(["loadModel", "mapped"]);
});

async function flip(path: string, at: number): Promise<void> {
  await using file = await open(path, "r+");
  const byte = new Uint8Array(1);
  await file.read(byte, 0, 1, at);
  await file.write(Uint8Array.of((byte[0] ?? 0) ^ 4), 0, 1, at);
}

async function contents(folder: string): Promise<Record<string, Buffer>> {
  const names = (await readdir(folder)).sort();
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await readFile(join(folder, name))])));
}
