/** A cache that was saved and loaded is the same cache, to the last bit; a file that is not one is refused. */
import { describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import {
  compress,
  extend,
  full,
  generate,
  type KvCache,
  loadCache,
  prefill,
  quantised,
  saveCache,
  snapKV,
  step,
  streamingWindow,
} from "../../src/index.ts";
import { faultOf, openFiles, safetensorsBytes, scratch } from "../model/helpers.ts";
import { raggedCache, raggedShapes, tokens } from "../support/ragged.ts";
import { holds } from "../support/seed.ts";
import { tinyModel } from "../support/tiny-model.ts";

const held = (cache: KvCache) => ({
  length: cache.length,
  logits: cache.logits,
  positions: cache.lengths.map((heads, layer) => heads.map((_, head) => cache.positions(layer, head))),
});

describe("a cache saved and loaded", () => {
  test("decodes identically, ragged, uniform, in the middle of a generation, after evictions", () =>
    holds(
      fc.record({ shape: raggedShapes, next: tokens(1, 4), evicted: fc.boolean() }),
      async ({ shape, next, evicted }) => {
        using folder = scratch();
        using made = await raggedCache(shape);
        const { model, cache } = made;
        const evict = streamingWindow({ budget: 8, sinks: 2 });
        if (evicted) for (const token of [1, 2, 3, 4, 5]) await step(model, cache, token, { evict });
        const path = join(folder.path, "c.safetensors");
        await saveCache(cache, path, { model });
        using loaded = await loadCache(model, path);
        expect(held(loaded.cache)).toEqual(held(cache));
        // Room that an eviction left in the tail is not saved.
        using inMemory = await cache.inMemory();
        if (!evicted) expect(loaded.cache.bytes).toBe(inMemory.bytes);
        for (const { positions, offsets, reused } of loaded.cache.places) {
          const ascending = (p: number, i: number) => offsets.includes(i) || p > (positions[i - 1] ?? -1);
          expect(reused ?? false).toBe(!positions.every(ascending));
        }
        for (const token of next) {
          await step(model, cache, token);
          await step(model, loaded.cache, token);
        }
        await extend(model, cache, Int32Array.from(next));
        await extend(model, loaded.cache, Int32Array.from(next));
        if (evicted) {
          await step(model, cache, 6, { evict });
          await step(model, loaded.cache, 6, { evict });
        }
        expect(held(loaded.cache)).toEqual(held(cache));
        const options = { maxNewTokens: 4 };
        expect(await generate(model, loaded.cache, options)).toEqual(await generate(model, cache, options));
      },
      60,
    ));

  test("with compact entries is refused, and nothing is written", async () => {
    using folder = scratch();
    using model = await tinyModel();
    using context = await prefill(model, new Int32Array(60).fill(3));
    using cache = await compress(context, quantised(full(), { bits: 8, recent: 4 }));
    const fault = await faultOf(() => saveCache(cache, join(folder.path, "c.safetensors"), { model }));
    expect(fault).toMatchObject({ code: "invalid_option", path: ["saveCache", "cache"] });
    expect(readdirSync(folder.path)).toEqual([]);
  });

  test("says what made it, and is the same file every time", async () => {
    using folder = scratch();
    using model = await tinyModel();
    using context = await prefill(model, new Int32Array(30).fill(3));
    const method = snapKV({ budget: 12 });
    using cache = await compress(context, method);
    const path = join(folder.path, "c.safetensors");
    await saveCache(cache, path, { model, method });
    using loaded = await loadCache(model, path);
    expect(loaded.provenance).toEqual(await model.provenance());
    expect(loaded.method).toEqual({ name: "snapkv", budget: 12, options: method.options });
    const bytes = readFileSync(path);
    await saveCache(loaded.cache, path, { model, method });
    expect(readFileSync(path)).toEqual(bytes);
    const entries = cache.lengths.flat().reduce((sum, count) => sum + count, 0);
    const header = 8 + Number(bytes.readBigUInt64LE(0));
    // Keys and values, positions, and the logits: nothing of what was evicted.
    using inMemory = await cache.inMemory();
    expect(bytes.length - header).toBe(inMemory.bytes + 4 * entries + 4 * model.config.vocabSize);
    expect(readdirSync(folder.path)).toEqual(["c.safetensors"]);
  });

  test("is what it was when it was saved, whatever comes meanwhile", async () => {
    using folder = scratch();
    using model = await tinyModel();
    using context = await prefill(model, new Int32Array(30).fill(3));
    using cache = await compress(context, snapKV({ budget: 12 }));
    const evict = streamingWindow({ budget: 12 });
    await step(model, cache, 1, { evict });
    const before = held(cache);
    const path = join(folder.path, "c.safetensors");
    const moved = Promise.withResolvers<void>();
    const provenance = () => moved.promise.then(() => model.provenance());
    const saving = saveCache(cache, path, { model: { ...model, provenance } });
    for (const token of [2, 3, 4]) await step(model, cache, token, { evict });
    moved.resolve();
    await saving;
    using loaded = await loadCache(model, path);
    expect(held(loaded.cache)).toEqual(before);
  });
});

describe("a place that cannot be written", () => {
  test("is a disk error, and leaves nothing behind", async () => {
    using folder = scratch({ "old.safetensors": "old" });
    using model = await tinyModel();
    using context = await prefill(model, Int32Array.of(1, 2));
    const { cache } = context;
    expect((await faultOf(() => saveCache(cache, join(folder.path, "none/c"), { model }))).code).toBe("disk_error");
    mkdirSync(join(folder.path, "taken"));
    expect((await faultOf(() => saveCache(cache, join(folder.path, "taken"), { model }))).code).toBe("disk_error");
    using other = await tinyModel({}, 2);
    const refused = await faultOf(() => saveCache(cache, join(folder.path, "old.safetensors"), { model: other }));
    expect(refused.code).toBe("wrong_model");
    expect(readdirSync(folder.path).sort()).toEqual(["old.safetensors", "taken"]);
    expect(readFileSync(join(folder.path, "old.safetensors"), "utf8")).toBe("old");
  });
});

/** The bytes of a small saved cache, with a tail. */
async function small() {
  using folder = scratch();
  const model = await tinyModel({ layers: 1, kvHeads: 2, headDim: 8 });
  using context = await prefill(model, Int32Array.of(1, 2, 3, 4, 5));
  await step(model, context.cache, 6);
  const path = join(folder.path, "c.safetensors");
  await saveCache(context.cache, path, { model });
  return { model, bytes: readFileSync(path) };
}

describe("a file that is not the cache that was saved", () => {
  test("is refused: any bit changed, anything cut off or added", async () => {
    const { model, bytes } = await small();
    using _model = model;
    using folder = scratch();
    const path = join(folder.path, "c.safetensors");
    const codeOf = async (content: Uint8Array) => {
      writeFileSync(path, content);
      return (await faultOf(() => loadCache(model, path))).code;
    };
    const header = 8 + Number(bytes.readBigUInt64LE(0));
    const files = openFiles();
    for (let byte = 0; byte < header; byte++) {
      const flipped = Buffer.from(bytes);
      flipped[byte] = (flipped[byte] ?? 0) ^ (1 << (byte % 8));
      expect(["corrupt_file", "unsupported_format"]).toContain(await codeOf(flipped));
    }
    await holds(fc.integer({ min: 0, max: 8 * bytes.length - 1 }), async (bit) => {
      const flipped = Buffer.from(bytes);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(["corrupt_file", "unsupported_format"]).toContain(await codeOf(flipped));
    });
    for (let length = 0; length < bytes.length; length += length < 64 || length > bytes.length - 64 ? 1 : 37)
      expect(await codeOf(bytes.subarray(0, length))).toBe("corrupt_file");
    expect(await codeOf(Buffer.concat([bytes, Buffer.alloc(1)]))).toBe("corrupt_file");
    expect(openFiles()).toBe(files);
  });

  test("is refused even if its hash is right: every claim is checked", async () => {
    const { model, bytes } = await small();
    using _model = model;
    using folder = scratch();
    const path = join(folder.path, "c.safetensors");
    const change = (part: string, edit: (value: Record<string, unknown>) => unknown) => (header: Header) => ({
      ...header,
      __metadata__: {
        ...header.__metadata__,
        [part]: JSON.stringify(edit(JSON.parse(header.__metadata__[part] ?? ""))),
      },
    });
    const shape = (spoilt: object) => change("cache", (value) => ({ ...value, ...spoilt }));
    const spoilings: readonly (readonly [string, (header: Header) => object])[] = [
      ["corrupt_file", shape({ layers: 2 })],
      ["corrupt_file", shape({ layers: 0, counts: [] })],
      ["corrupt_file", shape({ kvHeads: 1e9 })],
      ["corrupt_file", shape({ counts: [[4, 6]] })],
      ["corrupt_file", shape({ counts: [[2 ** 31, 2 ** 31 + 10]] })],
      ["corrupt_file", shape({ counts: [[-5, 15]] })],
      ["corrupt_file", shape({ counts: [[2.5, 7.5]] })],
      ["corrupt_file", shape({ counts: "5" })],
      ["corrupt_file", shape({ tail: 2 })],
      ["corrupt_file", shape({ tail: 7 })],
      ["corrupt_file", shape({ length: 5 })],
      ["corrupt_file", shape({ length: 1e6 })],
      ["corrupt_file", shape({ model: 3 })],
      ["corrupt_file", change("provenance", ({ weights, ...rest }) => rest)],
      ["wrong_model", change("provenance", (value) => ({ ...value, weights: "sha256:0" }))],
      ["unsupported_format", (h) => ({ ...h, __metadata__: { ...h.__metadata__, format: "pyramidkv cache 2" } })],
      ["corrupt_file", (h) => ({ ...h, __metadata__: { ...h.__metadata__, method: "{" } })],
      ["corrupt_file", (h) => ({ ...h, __metadata__: { ...h.__metadata__, sha256: "" } })],
      ["unsupported_format", ({ __metadata__, ...tensors }) => tensors],
      ["missing_tensor", ({ logits, ...rest }) => ({ ...rest, other: logits })],
      ["missing_tensor", ({ "keys.0": keys, ...rest }) => ({ ...rest, keys })],
    ];
    writeSealed(path, bytes, (header) => header);
    using honest = await loadCache(model, path);
    expect(honest.cache.length).toBe(6);
    for (const [code, spoil] of spoilings) {
      writeSealed(path, bytes, spoil);
      expect<string>((await faultOf(() => loadCache(model, path))).code).toBe(code);
    }
    for (const position of [-1, 0.5, 5, Number.NaN, 2 ** 40]) {
      const spoilt = Buffer.from(bytes);
      const { "positions.0": positions } = headerOf(bytes);
      spoilt.writeFloatLE(position, dataOf(bytes) + (positions?.data_offsets[0] ?? 0));
      writeSealed(path, spoilt, (header) => header);
      expect((await faultOf(() => loadCache(model, path))).code).toBe("corrupt_file");
    }
  });

  test("is refused if it is another thing, or nothing", async () => {
    using folder = scratch({ "a.safetensors": safetensorsBytes({}), "b.safetensors": "text" });
    using model = await tinyModel();
    const code = async (name: string) => (await faultOf(() => loadCache(model, join(folder.path, name)))).code;
    expect(await code("a.safetensors")).toBe("unsupported_format");
    expect(await code("b.safetensors")).toBe("corrupt_file");
    expect(await code("none.safetensors")).toBe("invalid_option");
    expect(await code(".")).toBe("invalid_option");
  });
});

test("another model is refused; the same weights elsewhere are not", async () => {
  const { model, bytes } = await small();
  using _model = model;
  using folder = scratch({ "c.safetensors": bytes });
  const path = join(folder.path, "c.safetensors");
  using other = await tinyModel({ layers: 1, kvHeads: 2, headDim: 8 }, 2);
  const fault = await faultOf(() => loadCache(other, path));
  expect({ code: fault.code, path: fault.path }).toEqual({ code: "wrong_model", path: [path, "model"] });
  expect(fault.message).toContain("random-1");
  using loaded = await loadCache({ ...model, id: "moved" }, path);
  await step({ ...model, id: "moved" }, loaded.cache, 1);
  using wider = { ...model, config: { ...model.config, vocabSize: 65 } };
  expect((await faultOf(() => loadCache(wider, path))).code).toBe("corrupt_file");
});

type Header = Readonly<Record<string, { readonly data_offsets: readonly [number, number] }>> & {
  readonly __metadata__: Readonly<Record<string, string>>;
};

const dataOf = (bytes: Buffer) => 8 + Number(bytes.readBigUInt64LE(0));
const headerOf = (bytes: Buffer): Header => JSON.parse(bytes.toString("utf8", 8, dataOf(bytes)));

/** As an attacker would: the header changed, and the hash made right again. */
function writeSealed(path: string, bytes: Buffer, spoil: (header: Header) => object): void {
  const zeros = "0".repeat(64);
  const text = JSON.stringify(spoil(headerOf(bytes)));
  const old = headerOf(bytes).__metadata__.sha256 ?? "";
  const build = (hash: string) => {
    const header = Buffer.from(text.replace(old, hash));
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(header.length));
    return Buffer.concat([length, header, bytes.subarray(dataOf(bytes))]);
  };
  writeFileSync(path, build(createHash("sha256").update(build(zeros)).digest("hex")));
}
