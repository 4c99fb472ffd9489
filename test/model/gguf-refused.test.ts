import { describe, expect, test } from "bun:test";
import { ggmlTypeName } from "../../src/model/weights/gguf-types.ts";
import type { WeightType } from "../../src/model/weights/weights.ts";
import { cpuTime } from "../support/cpu-time.ts";
import { type GgufSource, type GgufTensorSource, ggufBytes, integers, text, u32 } from "../support/gguf-writer.ts";
import { ggufAt } from "../support/weights-at.ts";
import { faultOf, scratch } from "./helpers.ts";

const refusal = async (bytes: Buffer) => {
  using folder = scratch();
  return faultOf(() => ggufAt(folder.write({ "m.gguf": bytes })));
};

const matrix = (name: string, type: WeightType, more: Partial<GgufTensorSource> = {}): GgufTensorSource => ({
  name,
  type,
  shape: [8, 64],
  values: new Float32Array(512),
  ...more,
});

describe("a file that is refused", () => {
  const llama = [["general.architecture", text("llama")]] as const;
  const cases: readonly (readonly [string, GgufSource, string, RegExp])[] = [
    ["version 1", { version: 1 }, "unsupported_format", /version is 1, but must be 2 or 3/],
    ["a big-endian one", { version: 3 << 24 }, "unsupported_format", /little-endian/],
    ["a part of several", { metadata: [["split.count", u32(3)]] }, "unsupported_format", /llama-gguf-split/],
    [
      "a quant of tables",
      { tensors: [matrix("blk.0.ffn_up.weight", "F32", { claimedType: 20 })] },
      "unsupported_format",
      /blk\.0\.ffn_up\.weight is IQ4_NL, but must be one of .*Q6_K/,
    ],
    [
      "a type not known to anybody",
      { tensors: [matrix("x", "F32", { claimedType: 99 })] },
      "unsupported_format",
      /type 99/,
    ],
    [
      "a key twice",
      {
        metadata: [
          ["a", u32(1)],
          ["a", u32(2)],
        ],
      },
      "corrupt_file",
      /a second time/,
    ],
    ["a tensor twice", { tensors: [matrix("x", "F32"), matrix("x", "F32")] }, "corrupt_file", /a second time/],
    [
      "tensors that overlap",
      { tensors: [matrix("x", "F32"), matrix("y", "F32", { claimedOffset: 32 })] },
      "corrupt_file",
      /after the tensor/,
    ],
    [
      "an offset between alignments",
      { tensors: [matrix("x", "F32", { claimedOffset: 8 })] },
      "corrupt_file",
      /aligned/,
    ],
    [
      "an offset beyond the file",
      { tensors: [matrix("x", "F32", { claimedOffset: 2 ** 40 })] },
      "corrupt_file",
      /within/,
    ],
    [
      "sizes beyond the file",
      { tensors: [matrix("x", "F32", { shape: [2 ** 50, 2 ** 50, 2 ** 50, 32] })] },
      "corrupt_file",
      /within/,
    ],
    ["a size of nothing", { tensors: [matrix("x", "F32", { shape: [0, 4] })] }, "corrupt_file", /x is/],
    [
      "rows of half a block",
      { tensors: [matrix("x", "Q8_0", { shape: [32, 16] })] },
      "corrupt_file",
      /whole Q8_0 blocks/,
    ],
    [
      "rows of half a super-block",
      { tensors: [matrix("x", "Q8_0", { claimedType: 14 })] },
      "corrupt_file",
      /whole Q6_K/,
    ],
    ["five dimensions", { tensors: [matrix("x", "F32", { shape: [1, 1, 1, 8, 64] })] }, "corrupt_file", /at most 4/],
    ["an alignment of three", { metadata: [["general.alignment", u32(3)]] }, "corrupt_file", /power of two/],
    ["an alignment of none", { metadata: [["general.alignment", u32(0)]] }, "corrupt_file", /power of two/],
    ["an alignment in words", { metadata: [["general.alignment", text("32")]] }, "corrupt_file", /power of two/],
    [
      "arrays of arrays",
      { metadata: [["a", { type: "array", of: 9, values: [] }]] },
      "corrupt_file",
      /array of arrays/,
    ],
    [
      "a value of no type",
      { metadata: [["a", { type: "array", of: 77, values: [{ type: "u64", value: 1 }] }]] },
      "corrupt_file",
      /value type 77/,
    ],
    [
      "Q without a number of heads",
      { metadata: llama, tensors: [matrix("blk.0.attn_q.weight", "F32")] },
      "corrupt_file",
      /head_count/,
    ],
    [
      "Q with heads that do not fit",
      { metadata: [...llama, ["llama.attention.head_count", u32(3)]], tensors: [matrix("blk.0.attn_q.weight", "F32")] },
      "corrupt_file",
      /8 rows/,
    ],
  ];
  test.each([...cases])("%s", async (_name, source, code, message) => {
    const fault = await refusal(ggufBytes(source));
    expect(fault.code).toBe(code as typeof fault.code);
    expect(fault.message).toMatch(message);
  });

  test("no GGUF at all", async () => {
    expect((await refusal(Buffer.from("GGML____________________"))).message).toMatch(/GGUF/);
    expect((await refusal(Buffer.alloc(0))).code).toBe("corrupt_file");
  });

  test("every type of ggml has a name to refuse it by", () => {
    const unknown = [9, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 34, 35, 39];
    for (const type of unknown) expect(ggmlTypeName(type)).not.toStartWith("type");
  });

  test("a header that claims more than the file holds, at once and without the memory", async () => {
    const claims: readonly (readonly [at: number, value: bigint])[] = [
      [8, 2n ** 63n],
      [8, 10n ** 9n],
      [16, 2n ** 64n - 1n],
      [16, 10n ** 9n],
      [24, 2n ** 40n],
      [24, 10n ** 6n],
      [41, 2n ** 50n],
      [41, 10n ** 7n],
    ];
    const honest = ggufBytes({ metadata: [["a", integers([1, 2, 3])]], tensors: [matrix("x", "F32")] });
    for (const [at, value] of claims) {
      const bytes = Buffer.from(honest);
      bytes.writeBigUInt64LE(value, at);
      const started = cpuTime();
      const { code } = await refusal(bytes);
      expect(code).toBe("corrupt_file");
      expect(cpuTime() - started).toBeLessThan(1000);
    }
  });

  test("a large file that is all header, within bounded time and memory", async () => {
    const count = 30_000_000;
    const bytes = ggufBytes({ metadata: [["a", { type: "array", of: 0, values: [] }]] });
    const long = Buffer.concat([bytes.subarray(0, 49), Buffer.alloc(count)]);
    long.writeBigUInt64LE(BigInt(count), 41);
    const [before, started] = [process.memoryUsage().rss, cpuTime()];
    expect((await refusal(long)).message).toMatch(/at most 419430\d in this file/);
    expect(cpuTime() - started).toBeLessThan(2000);
    expect(process.memoryUsage().rss - before).toBeLessThan(300e6);
  });
});
