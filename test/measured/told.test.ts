/** Methods of the recipes that are told of measurements in a folder. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { told, toldMethods } from "../../recipes/support/measured-methods.ts";
import {
  compress,
  expectedAttention,
  type Method,
  type Model,
  measureFilters,
  measureQueryStatistics,
  prefill,
  qFilters,
  saveMeasured,
} from "../../src/index.ts";
import { faultOf } from "../support/fault.ts";
import { sharedModel } from "../support/tiny-model.ts";

const corpus = [Int32Array.from({ length: 50 }, (_, i) => (i * i * 7 + 3 * i) % 61)];
const prompt = Int32Array.from({ length: 40 }, (_, i) => (i * i * 5 + i) % 61);
const model = await sharedModel({ layers: 2 }, 1);
const filters = await measureFilters(model, corpus);
const statistics = await measureQueryStatistics(model, corpus);

let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "pyramidkv-told-"));
  await saveMeasured(join(folder, "filters.safetensors"), filters);
  await saveMeasured(join(folder, "query-statistics.safetensors"), statistics);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function made(name: string, where = folder, on: Model = model): Promise<Method> {
  const method = toldMethods[name];
  if (method === undefined) throw new RangeError(name);
  return (await told(on, method, where))({ budget: 12 });
}

async function kept(method: Method) {
  using context = await prefill(model, prompt, { observe: [method] });
  using cache = await compress(context, method);
  return cache.lengths.map((heads, layer) => heads.map((_, head) => [...cache.positions(layer, head)]));
}

describe.each([
  ["measured/qfilters", qFilters({ budget: 12, filters }), qFilters({ budget: 12 }), "filters"],
  [
    "measured/expectedattention",
    expectedAttention({ budget: 12, statistics }),
    expectedAttention({ budget: 12 }),
    "query-statistics",
  ],
] as const)("%s", (name, measured, own, kind) => {
  test("keeps what the method keeps that was measured, and results name it and what was measured", async () => {
    const method = await made(name);
    expect(await kept(method)).toEqual(await kept(measured));
    expect(await kept(method)).not.toEqual(await kept(own));
    expect(method.name).toBe(`measured/${own.name}`);
    expect(method.options).toEqual(measured.options);
    expect(Object.values(method.options)).toContain((kind === "filters" ? filters : statistics).label);
  });

  test("is refused on another model, without its file, and with another or a broken one", async () => {
    const other = await sharedModel({ layers: 2 }, 2);
    expect(await faultOf(() => made(name, folder, other))).toMatchObject({ code: "wrong_model" });
    const elsewhere = mkdtempSync(join(tmpdir(), "pyramidkv-told-"));
    const missing = await faultOf(() => made(name, elsewhere));
    expect(missing).toMatchObject({ code: "invalid_option", path: ["--measured"], found: elsewhere });
    expect(missing.message).toContain(`bun run measure --what ${kind}`);
    const file = join(elsewhere, `${kind}.safetensors`);
    const others = kind === "filters" ? "query-statistics" : "filters";
    copyFileSync(join(folder, `${others}.safetensors`), file);
    expect(await faultOf(() => made(name, elsewhere))).toMatchObject({ code: "unsupported_format", path: [file] });
    writeFileSync(file, "broken");
    expect(await faultOf(() => made(name, elsewhere))).toMatchObject({ code: "corrupt_file" });
    rmSync(elsewhere, { recursive: true });
  });
});
