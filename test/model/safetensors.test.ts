import { describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { safetensorsAt } from "../support/weights-at.ts";
import { f32Entry, faultOf, safetensorsBytes, scratch, withHeader } from "./helpers.ts";

const tiny = join(import.meta.dir, "../fixtures/tiny/llama/model.safetensors");
const two = { a: f32Entry([2, 3], [1, 2, 3, 4, 5, 6]), b: f32Entry([2], [7, 8]) };

describe("a real file", () => {
  test("gives every tensor's bfloat16 values as fp32", () => {
    const bytes = readFileSync(tiny);
    const start = 8 + Number(bytes.readBigUInt64LE(0));
    const header = JSON.parse(bytes.subarray(8, start).toString());
    using weights = safetensorsAt(tiny);
    expect(weights.tensors.length).toBe(38);
    for (const { name, shape, type } of weights.tensors) {
      const [begin, end] = header[name].data_offsets;
      const widened = Buffer.alloc((end - begin) * 2);
      for (let i = 0; i < end - begin; i += 2) bytes.copy(widened, i * 2 + 2, start + begin + i, start + begin + i + 2);
      expect({ type, shape }).toEqual({ type: "BF16", shape: header[name].shape });
      expect(Buffer.from(weights.read(name).buffer)).toEqual(widened);
    }
  });

  test("gives rows in the order asked for, repeated ones too", () => {
    using weights = safetensorsAt(tiny);
    const table = weights.read("model.embed_tokens.weight");
    const rows = [159, 0, 7, 7];
    const expected = rows.flatMap((row) => [...table.subarray(row * 64, row * 64 + 64)]);
    expect([...weights.readRows("model.embed_tokens.weight", rows)]).toEqual(expected);
    expect(weights.readRows("model.norm.weight", [0])).toEqual(weights.read("model.norm.weight"));
  });

  test("is known by its hash", async () => {
    using weights = safetensorsAt(tiny);
    expect(await weights.sha256()).toBe(createHash("sha256").update(readFileSync(tiny)).digest("hex"));
  });
});

describe("use", () => {
  test("of an absent tensor or row says what there is", async () => {
    using folder = scratch();
    using weights = safetensorsAt(folder.write({ "m.safetensors": safetensorsBytes(two) }));
    expect(weights.has("a")).toBe(true);
    expect(weights.has("toString")).toBe(false);
    expect((await faultOf(() => weights.info("c"))).code).toBe("missing_tensor");
    for (const row of [-1, 2, 0.5, Number.NaN]) {
      expect((await faultOf(() => weights.readRows("a", [row]))).allowed).toBe("a row of a, 0 to 1");
    }
  });

  test("after disposal is an error, and disposing twice is none", async () => {
    using folder = scratch();
    const weights = safetensorsAt(folder.write({ "m.safetensors": safetensorsBytes(two) }));
    weights[Symbol.dispose]();
    weights[Symbol.dispose]();
    expect((await faultOf(() => weights.read("a"))).code).toBe("disposed");
    expect((await faultOf(() => weights.sha256())).code).toBe("disposed");
  });

  test("of a file that shrank after opening is an error", async () => {
    using folder = scratch();
    const path = folder.write({ "m.safetensors": safetensorsBytes(two) });
    using weights = safetensorsAt(path);
    folder.write({ "m.safetensors": safetensorsBytes(two).subarray(0, 150) });
    expect((await faultOf(() => weights.read("b"))).code).toBe("corrupt_file");
  });

  test("a tensor larger than one read arrives whole", () => {
    using folder = scratch();
    const values = Float32Array.from({ length: 700_001 }, (_, i) => i);
    const bytes = safetensorsBytes({ big: f32Entry([values.length], values) });
    using weights = safetensorsAt(folder.write({ "m.safetensors": bytes }));
    expect(weights.read("big")).toEqual(values);
  });

  test("names from JavaScript's own objects are names like others", () => {
    using folder = scratch();
    const entry = '{"dtype":"F32","shape":[1],"data_offsets":[0,4]}';
    const bytes = withHeader(`{"__metadata__":{"format":"pt"},"__proto__":${entry}}`, new Uint8Array(4));
    using weights = safetensorsAt(folder.write({ "m.safetensors": bytes }));
    expect(weights.tensors.map(({ name }) => name)).toEqual(["__proto__"]);
    expect(weights.read("__proto__")).toEqual(new Float32Array(1));
  });
});

describe("a header that lies", () => {
  const spoilt = (change: object) => safetensorsBytes(two, ({ a, b }) => ({ a: { ...Object(a), ...change }, b }));
  const cases: readonly (readonly [string, Buffer, string])[] = [
    ["an empty file", Buffer.alloc(0), "corrupt_file"],
    ["a length beyond the file", Buffer.from("ffffffffffffff7f7b7d", "hex"), "corrupt_file"],
    [
      "text that is not UTF-8",
      Buffer.concat([Buffer.from("0200000000000000", "hex"), Buffer.from([0xff, 0xfe])]),
      "corrupt_file",
    ],
    ["no JSON", withHeader("{"), "corrupt_file"],
    ["a list", withHeader("[]"), "corrupt_file"],
    ["an entry that is a number", withHeader('{"a":1}'), "corrupt_file"],
    ["a type not read here", spoilt({ dtype: "I64" }), "unsupported_format"],
    ["offsets backwards", spoilt({ data_offsets: [24, 0] }), "corrupt_file"],
    ["offsets beyond the file", spoilt({ data_offsets: [0, 2 ** 40] }), "corrupt_file"],
    ["offsets that are no integers", spoilt({ data_offsets: [0, 1.5] }), "corrupt_file"],
    ["tensors that overlap", safetensorsBytes(two, ({ a }) => ({ a, b: a })), "corrupt_file"],
    ["a shape that does not fit", spoilt({ shape: [3, 3] }), "corrupt_file"],
    [
      "a shape whose product overflows",
      spoilt({ shape: [2 ** 52, 2 ** 52, 2 ** 52, 2 ** 52, 2 ** 52] }),
      "corrupt_file",
    ],
    ["a negative shape", spoilt({ shape: [-2, -3] }), "corrupt_file"],
    ["bytes after the last tensor", Buffer.concat([safetensorsBytes(two), Buffer.alloc(1)]), "corrupt_file"],
    ["a last byte missing", safetensorsBytes(two).subarray(0, -1), "corrupt_file"],
  ];
  test.each([...cases])("%s is refused", async (_name, bytes, code) => {
    using folder = scratch();
    const path = folder.write({ "m.safetensors": bytes });
    const fault = await faultOf(() => safetensorsAt(path));
    expect(fault.code).toBe(code as typeof fault.code);
    expect(String(fault.path[0])).toContain(path);
  });

  test("an unsupported type is named, with its tensor", async () => {
    using folder = scratch();
    const path = folder.write({ "m.safetensors": spoilt({ dtype: "F8_E4M3" }) });
    const { message } = await faultOf(() => safetensorsAt(path));
    expect(message).toBe(`${path}.a.dtype is F8_E4M3, but must be one of F32, F16, BF16.`);
  });
});

describe("shards", () => {
  const [{ a, b }, index] = [two, (map: unknown) => JSON.stringify({ metadata: {}, weight_map: map })];
  const name = "model.safetensors.index.json";

  test("are one model, also through links, as in the Hub's cache", async () => {
    using folder = scratch({ "blobs/1": safetensorsBytes({ a }), "two.safetensors": safetensorsBytes({ b }) });
    symlinkSync(join(folder.path, "blobs/1"), join(folder.path, "one.safetensors"));
    using weights = safetensorsAt(folder.write({ [name]: index({ a: "one.safetensors", b: "two.safetensors" }) }));
    expect([...weights.read("a"), ...weights.read("b")]).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(weights.files).toEqual(["one", "two"].map((file) => join(folder.path, `${file}.safetensors`)));
    const digests = [{ a }, { b }].map((part) => createHash("sha256").update(safetensorsBytes(part)).digest("hex"));
    expect(await weights.sha256()).toBe(createHash("sha256").update(digests.join("")).digest("hex"));
  });

  test.each(["../x.safetensors", "/etc/passwd", "sub/x", "..", ".", "", "a\\b", "c:x", "x\0y"])(
    "a name that may lead elsewhere is refused: %j",
    async (file) => {
      using folder = scratch();
      const path = folder.write({ [name]: index({ a: file }) });
      expect((await faultOf(() => safetensorsAt(path))).code).toBe("unsafe_path");
    },
  );

  test("an index that names what is not there is refused", async () => {
    using folder = scratch({ "one.safetensors": safetensorsBytes({ a }), "same.safetensors": safetensorsBytes({ a }) });
    const code = async (map: unknown) => {
      const path = folder.write({ [name]: index(map) });
      return (await faultOf(() => safetensorsAt(path))).code;
    };
    expect(await code({ a: "none.safetensors" })).toBe("model_not_found");
    expect(await code({ a: "one.safetensors", b: "one.safetensors" })).toBe("missing_tensor");
    expect(await code({ a: "one.safetensors", b: "same.safetensors" })).toBe("corrupt_file");
    expect(await code({})).toBe("corrupt_file");
    expect(await code([1])).toBe("corrupt_file");
    expect(await code({ a: 1 })).toBe("corrupt_file");
  });
});

test("what is no file is not found", async () => {
  using folder = scratch();
  mkdirSync(join(folder.path, "m.safetensors"));
  expect((await faultOf(() => safetensorsAt(join(folder.path, "m.safetensors")))).code).toBe("model_not_found");
  renameSync(join(folder.path, "m.safetensors"), join(folder.path, "other"));
  expect((await faultOf(() => safetensorsAt(join(folder.path, "m.safetensors")))).code).toBe("model_not_found");
});
