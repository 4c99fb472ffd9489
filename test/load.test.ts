/** loadModel's precision: what may be asked for, and what is then said of it. The numbers are in laws/fast.test.ts. */
import { expect, test } from "bun:test";
import { join } from "node:path";
import { canBeFast } from "../src/engine/onnx/linear.ts";
import { type LoadOptions, loadModel } from "../src/index.ts";
import { openModel } from "../src/model/open.ts";
import type { WeightType } from "../src/model/weights/weights.ts";
import { scratch } from "./model/helpers.ts";
import { faultOf } from "./support/fault.ts";
import { fixture } from "./support/golden.ts";
import { writeQuantised } from "./support/quantised-model.ts";

async function loaded(typeOf: (i: number) => WeightType, options: LoadOptions) {
  using folder = scratch();
  const path = await writeQuantised(join(folder.path, "m.gguf"), typeOf);
  using model = await loadModel(path, { threads: 1, progress: false, graphCache: false, ...options });
  return { engine: model.engine.precision, provenance: (await model.provenance()).precision };
}

test("the precision is fp32 unless asked for, and is said as it is", async () => {
  const quantised = () => "Q4_1" as const;
  expect(await loaded(quantised, {})).toEqual({ engine: "fp32", provenance: "fp32" });
  expect(await loaded(quantised, { precision: "fast" })).toEqual({ engine: "fast", provenance: "fast" });
  expect(await loaded((i) => (i === 3 ? "Q4_0" : "F16"), { precision: "fast" })).toMatchObject({ engine: "fast" });
});

test.each<[string, (options: LoadOptions) => Promise<unknown>]>([
  ["safetensors", (options) => loadModel(fixture("tiny/llama"), options)],
  ["GGUF", (options) => loaded((i) => (i % 2 === 0 ? "F16" : "F32"), options)],
])("a model in %s without a quantised matrix is not called fast", async (_, load) => {
  const fault = await faultOf(() => load({ precision: "fast", progress: false }));
  expect(fault).toMatchObject({ code: "invalid_option", path: ["loadModel", "precision"], found: "fast" });
  expect(fault.message).toContain("must be fp32 for this model");
});

test("an embedding table that is only looked up makes no model fast", async () => {
  using folder = scratch();
  const path = await writeQuantised(join(folder.path, "m.gguf"), (i) => (i === 0 ? "Q8_0" : "F16"));
  using files = await openModel(path);
  expect(canBeFast({ ...files.config, tiedEmbeddings: true }, files.weights)).toBe(true);
  expect(canBeFast({ ...files.config, tiedEmbeddings: false }, files.weights)).toBe(false);
});

test("an unknown precision, and fast weights left in their files, are refused", async () => {
  const unknown = await faultOf(() => loadModel(fixture("tiny/llama"), { precision: "fp16" as "fp32" }));
  expect(unknown).toMatchObject({ code: "invalid_option", path: ["loadModel", "precision"], found: "fp16" });
  const mapped = await faultOf(() => loadModel(fixture("tiny/llama"), { precision: "fast", mapped: true }));
  expect(mapped).toMatchObject({ code: "invalid_option", path: ["loadModel", "mapped"] });
});
