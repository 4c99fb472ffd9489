/** Spoilt files: whatever is cut off or changed, opening and reading works or is refused as our own error, soon. */

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Weights } from "../../src/model/weights/weights.ts";
import { cpuTime } from "../support/cpu-time.ts";
import { f32, type GgufEntry, ggufBytes, text, texts, u32 } from "../support/gguf-writer.ts";
import { ggufAt, safetensorsAt } from "../support/weights-at.ts";
import { f32Entry, SEED, safetensorsBytes, scratch, survives } from "./helpers.ts";

const values = Float32Array.from({ length: 128 }, (_, i) => i / 128);
const metadata: readonly (readonly [string, GgufEntry])[] = [
  ["general.architecture", text("llama")],
  ["llama.attention.head_count", u32(2)],
  ["llama.rope.freq_base", f32(10_000)],
  ["tokenizer.ggml.tokens", texts(["a", "b", "<s>"])],
];
const small = (["F32", "F16", "BF16", "Q8_0", "Q4_0", "Q4_1", "Q5_1"] as const).map((type, i) => ({
  name: i < 3 ? `blk.${i}.attn_q.weight` : `blk.${i}.ffn_up.weight`,
  type,
  shape: [4, 32],
  values,
}));
const large = (["Q3_K", "Q4_K", "Q6_K"] as const).map((type, i) => ({
  name: `blk.${i}.ffn_down.weight`,
  type,
  shape: [1, 256],
  values: [...values, ...values],
}));
const tensors = [...small, ...large];

const formats = [
  {
    name: "GGUF",
    bytes: ggufBytes({ metadata, tensors }),
    header: ggufBytes({ metadata, tensors }).length - 2000,
    open: (path: string): Weights => ggufAt(path).weights,
  },
  {
    name: "safetensors",
    bytes: safetensorsBytes({ a: f32Entry([4, 32], values), b: { ...f32Entry([128], values), dtype: "F32" } }),
    header: 150,
    open: safetensorsAt,
  },
];

describe.each(formats)("$name", ({ bytes, header, open }) => {
  /** Opens and reads it all; what a file of a kilobyte claims may cost neither memory nor time. */
  const consume = (path: string): void =>
    survives(() => {
      using weights = open(path);
      for (const { name, shape } of weights.tensors) {
        expect(weights.read(name).length).toBe(shape.reduce((product, size) => product * size, 1));
        weights.readRows(name, [0]);
      }
    });

  const spoiltEverywhere = <T>(spoilt: fc.Arbitrary<T>, apply: (what: T) => Uint8Array, numRuns: number): void => {
    using folder = scratch();
    const [memory, started] = [process.memoryUsage().rss, cpuTime()];
    fc.assert(
      fc.property(spoilt, (what) => consume(folder.write({ "model.bin": apply(what) }))),
      { seed: SEED, numRuns },
    );
    expect(process.memoryUsage().rss - memory).toBeLessThan(512e6);
    expect(cpuTime() - started).toBeLessThan(20_000);
  };

  test("cut at every byte of its header, and in its data", () => {
    using folder = scratch();
    const lengths = [...Array(header).keys(), ...Array.from({ length: 20 }, (_, i) => bytes.length - 1 - i * 37)];
    for (const length of lengths) consume(folder.write({ "model.bin": bytes.subarray(0, length) }));
  });

  test("with bits flipped", () => {
    const flips = fc.array(fc.tuple(fc.nat(header), fc.nat(7)), { minLength: 1, maxLength: 4 });
    const apply = (places: readonly (readonly [number, number])[]) => {
      const copy = Buffer.from(bytes);
      for (const [at, bit] of places) copy.writeUInt8(copy.readUInt8(at) ^ (1 << bit), at);
      return copy;
    };
    spoiltEverywhere(flips, apply, 800);
  });

  test("with numbers put where others were", () => {
    const interesting = [0n, 1n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n, 2n ** 62n + 1n];
    const overwrites = fc.tuple(
      fc.nat(header),
      fc.oneof(fc.constantFrom(...interesting), fc.bigInt({ min: 0n, max: 2n ** 40n })),
    );
    const apply = ([at, value]: readonly [number, bigint]) => {
      const copy = Buffer.from(bytes);
      copy.writeBigUInt64LE(value, at);
      return copy;
    };
    spoiltEverywhere(overwrites, apply, 800);
  });

  test("with bytes taken out, put in, or all of them noise", () => {
    const edits = fc.tuple(fc.nat(header), fc.nat(40), fc.uint8Array({ maxLength: 40 }));
    const apply = ([at, length, more]: readonly [number, number, Uint8Array]) =>
      Buffer.concat([bytes.subarray(0, at), more, bytes.subarray(at + length)]);
    spoiltEverywhere(edits, apply, 500);
    spoiltEverywhere(fc.uint8Array({ maxLength: 200 }), (noise) => Buffer.concat([bytes.subarray(0, 8), noise]), 300);
  });
});
