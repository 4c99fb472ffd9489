import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  type CompressInBlocksOptions,
  chain,
  compress,
  compressInBlocks,
  define,
  full,
  generate,
  lastTokens,
  type Method,
  type Model,
  meanOverGroup,
  pipeline,
  prefill,
  pyramidKV,
  type Score,
  snapKV,
  type TokenPieces,
  uniform,
  window,
} from "../../src/index.ts";
import { candidateColumns } from "../../src/scoring/observed.ts";
import { promptOf } from "../generate/helpers.ts";
import { byteTokenizer } from "../support/chunk-tokenizer.ts";
import { faultOf } from "../support/fault.ts";
import { recorded } from "../support/recorded-engine.ts";
import { tinyModel } from "../support/tiny-model.ts";

const A = promptOf(90, 1);
const method = snapKV({ budget: 24 });
const sizes = { block: 16, working: 32 };

let model: Model;
beforeAll(async () => {
  model = await tinyModel();
});
afterAll(() => model[Symbol.dispose]());

/** Refuses a call; the engine must have been called this often before. */
async function refused(
  prompt: string | Int32Array | TokenPieces,
  options: CompressInBlocksOptions,
  { by = method, on = model }: { by?: Method; on?: Model } = {},
) {
  const recording = recorded(on);
  const { code, path, message } = await faultOf(() => compressInBlocks(recording.model, prompt, by, options));
  return { code: String(code), path: [...path], message, calls: recording.calls.length };
}

describe("the working budget", () => {
  const own = ["compressInBlocks", "working"];

  test("holds at least what the method keeps at the end", async () => {
    const fault = await refused(A, { working: 23 });
    expect(fault).toMatchObject({ code: "budget_too_small", path: own, calls: 0 });
    expect(fault.message).toBe(
      "compressInBlocks.working is 23, but must be an integer >= 24 (snapkv.budget): what is kept at the end must be held until then.",
    );
    using cache = await compressInBlocks(model, A, method, { block: 16, working: 24 });
    expect(cache.lengths.flat()).toEqual(new Array(6).fill(24));
  });

  test("leaves something to choose beside what is always kept", async () => {
    const greedy: Method = { ...method, budget: 8 };
    const fault = await refused(A, { working: 8 }, { by: greedy });
    expect(fault).toMatchObject({ code: "budget_too_small", path: own, calls: 0 });
    expect(fault.message).toContain("> 8 (always kept)");
  });

  test("of full attention is Infinity, and so may any other be", async () => {
    expect(await refused(A, { working: 1000 }, { by: full() })).toMatchObject({
      code: "budget_too_small",
      message:
        "compressInBlocks.working is 1000, but must be Infinity (full.budget): what is kept at the end must be held until then.",
    });
    for (const by of [full(), method]) {
      using cache = await compressInBlocks(model, A, by, { block: 16, working: Number.POSITIVE_INFINITY });
      using context = await prefill(model, A, { observe: [by], chunk: 16 });
      using expected = await compress(context, by);
      expect(cache.lengths).toEqual(expected.lengths);
      expect((await generate(model, cache, { maxNewTokens: 8 })).tokens).toEqual(
        (await generate(model, expected, { maxNewTokens: 8 })).tokens,
      );
    }
  });

  test("must not evict on a model with a sliding window; as long as it does not, all is well", async () => {
    using sliding = await tinyModel({ slidingWindow: 11 });
    const fault = await refused(A, sizes, { on: sliding });
    expect(fault).toMatchObject({ code: "invalid_option", path: own, calls: 0 });
    expect(fault.message).toContain("sliding window: its layers look 11 tokens back");
    expect(await refused([A], sizes, { on: sliding })).toMatchObject({ code: "invalid_option", path: own, calls: 3 });
    using context = await prefill(sliding, A, { observe: [method], chunk: 16 });
    using expected = await compress(context, method);
    // 80 tokens come before the last block of 16.
    for (const working of [80, 90]) {
      using cache = await compressInBlocks(sliding, A, method, { block: 16, working });
      expect(cache.layers).toEqual(expected.layers);
    }
    expect(await refused(A, { block: 16, working: 79 }, { on: sliding })).toMatchObject({ calls: 0 });
  });

  test("without a score, keeps the last tokens and as many as it may", async () => {
    const recording = recorded(model);
    using cache = await compressInBlocks(recording.model, A, window({ budget: 10 }), sizes);
    expect([...cache.positions(0, 0)]).toEqual(Array.from({ length: 10 }, (_, i) => 80 + i));
    const past = recording.calls.at(-1)?.before.layers[2]?.positions;
    expect([...(past ?? [])]).toEqual(Array.from({ length: 64 }, (_, i) => 80 - 32 + (i % 32)));
  });

  test("of twice the budget leaves a pyramid its shape; less flattens it", async () => {
    const by = pyramidKV({ budget: 24 });
    using context = await prefill(model, A, { observe: [by] });
    using expected = await compress(context, by);
    using wide = await compressInBlocks(model, A, by, { block: 16, working: 48 });
    expect(wide.lengths).toEqual(expected.lengths);
    using narrow = await compressInBlocks(model, A, by, { block: 1, working: 28 });
    expect(narrow.lengths.map(([first]) => first)).toEqual([29, 24, 19]);
  });
});

test("a score that needs more queries than its method keeps tokens gets them, and none of a token that may be gone", async () => {
  const seen: number[][] = [];
  const source: Score = {
    needs: { queries: 6, columnSums: false },
    async evaluate(view) {
      seen.push([view.queries.dims[1] ?? 0, view.length]);
      return candidateColumns(await view.kernels.columnSums(view.queries, view.keys, view), view);
    },
  };
  const wide = define("wide", { options: {} }, () => ({
    keep: lastTokens(2),
    score: chain(source, meanOverGroup),
    allocate: uniform(),
  }));
  using cache = await compressInBlocks(model, A, wide({ budget: 8 }), { block: 2, working: 12 });
  expect(cache.lengths.flat()).toEqual(new Array(6).fill(8));
  expect(seen.at(-1)).toEqual([8, 14]);
  expect(await refused(A, { working: 6 }, { by: { ...wide({ budget: 8 }), budget: 6 } })).toMatchObject({
    code: "budget_too_small",
    message: expect.stringContaining("> 6 (always kept)"),
  });
});

describe("options", () => {
  const wrong: [string, unknown, string[]][] = [
    ["no working budget", {}, ["compressInBlocks", "working"]],
    ["a fraction", { working: 32.5 }, ["compressInBlocks", "working"]],
    ["none at all", undefined, ["compressInBlocks"]],
    ["an empty block", { working: 32, block: 0 }, ["compressInBlocks", "block"]],
    ["an unknown one", { working: 32, blocks: 8 }, ["compressInBlocks", "blocks"]],
  ];
  test.each(wrong)("%s is refused", async (_name, options, path) => {
    expect(await refused(A, options as CompressInBlocksOptions)).toMatchObject({
      code: "invalid_option",
      path,
      calls: 0,
    });
  });

  test("a chunk below the block runs less at once and gives the same", async () => {
    const recording = recorded(model);
    using cache = await compressInBlocks(recording.model, A, method, { ...sizes, chunk: 5 });
    expect(recording.calls.map(({ request }) => request.chunk)).toEqual(new Array(6).fill(5));
    using expected = await compressInBlocks(model, A, method, sizes);
    expect(cache.lengths).toEqual(expected.lengths);
  });

  test("progress counts the prompt's tokens, and knows the total where there is one", async () => {
    const seen: number[][] = [];
    const onProgress = (done: number, total: number) => void seen.push([done, total]);
    (await compressInBlocks(model, A, method, { ...sizes, block: 40, chunk: 32, onProgress }))[Symbol.dispose]();
    expect(seen).toEqual([32, 40, 72, 80, 90].map((done) => [done, 90]));
    seen.length = 0;
    (await compressInBlocks(model, [A], method, { ...sizes, block: 40, onProgress }))[Symbol.dispose]();
    expect(seen).toEqual([40, 80, 90].map((done) => [done, Number.POSITIVE_INFINITY]));
  });

  test("a signal stops between chunks, and what the pieces come from is closed", async () => {
    const controller = new AbortController();
    let closed = false;
    function* pieces() {
      try {
        for (let at = 0; at < 90; at += 10) yield A.subarray(at, at + 10);
      } finally {
        closed = true;
      }
    }
    const onProgress = (done: number) => void (done >= 32 && controller.abort());
    expect(await refused(pieces(), { ...sizes, signal: controller.signal, onProgress })).toMatchObject({
      code: "aborted",
      calls: 2,
    });
    expect(closed).toBe(true);
  });
});

describe("a prompt", () => {
  test("that is kept whole takes the bytes of its entries, however it comes", async () => {
    for (const prompt of [A.subarray(0, 20), [A.subarray(0, 20)]]) {
      using cache = await compressInBlocks(model, prompt, method, sizes);
      expect(cache.bytes).toBe(20 * 3 * 2 * 8 * 2 * 4);
    }
  });

  test("of text is encoded", async () => {
    const speaking: Model = { ...model, tokenizer: byteTokenizer };
    using cache = await compressInBlocks(speaking, "\u0001\u0002\u0003", method, sizes);
    expect(cache.length).toBe(3);
    expect((await refused("text", sizes)).code).toBe("tokenizer_missing");
  });

  test("longer than the context is refused: before anything runs, or before the block that would go beyond", async () => {
    const long = promptOf(513, 2);
    const known = await refused(long, sizes);
    expect(known).toMatchObject({ code: "prompt_too_long", path: ["prompt"], calls: 0 });
    expect(known.message).toContain("513 tokens");
    function* endless() {
      for (;;) yield A;
    }
    // Five pieces are 450 tokens, 28 blocks of 16; the sixth would be too much.
    const unknown = await refused(endless(), sizes);
    expect(unknown).toMatchObject({ code: "prompt_too_long", path: ["prompt"], calls: 28 });
    expect(unknown.message).toContain("540 tokens or more");
    using cache = await compressInBlocks(model, [long.subarray(0, 512)], method, sizes);
    expect(cache.length).toBe(512);
  });

  test.each([
    ["that is empty", new Int32Array(0), "empty_prompt", ["prompt"]],
    ["of no pieces", [], "empty_prompt", ["prompt"]],
    ["of empty pieces", [new Int32Array(0), new Int32Array(0)], "empty_prompt", ["prompt"]],
    ["with a wrong token", Int32Array.of(1, 64), "invalid_token", ["prompt", 1]],
    ["with a wrong token in a later piece", [A.subarray(0, 20), Int32Array.of(1, -1)], "invalid_token", ["prompt", 21]],
    ["of lists of numbers", [A, [1, 2]], "invalid_option", ["prompt", 1]],
    ["of other numbers", Float32Array.of(1, 2), "invalid_option", ["prompt", 0]],
    ["that is missing", undefined, "invalid_option", ["prompt"]],
    ["that is null", null, "invalid_option", ["prompt"]],
    ["that is a number", 7, "invalid_option", ["prompt"]],
  ] as const)("%s is refused", async (_name, prompt, code, path) => {
    expect(await refused(prompt as never, { block: 1000, working: 32 })).toMatchObject({
      code,
      path: [...path],
      calls: 0,
    });
  });
});

describe("a pipeline in blocks", () => {
  test("is compressInBlocks and generate", async () => {
    const options = { maxNewTokens: 8 };
    using cache = await compressInBlocks(model, A, method, sizes);
    const { lengths: kept, bytes } = cache;
    const expected = { ...(await generate(model, cache, options)), kept, bytes };
    expect(await pipeline(model, method, { ...options, blocks: sizes })(A)).toEqual(expected);
    expect(await pipeline(model, method, options)(A, { blocks: sizes })).toEqual(expected);
  });

  test("refuses wrong sizes by name", async () => {
    for (const [blocks, path] of [
      [{ working: 0 }, ["pipeline", "blocks", "working"]],
      [{ block: 0, working: 32 }, ["pipeline", "blocks", "block"]],
      [{ working: 32, chunks: 3 }, ["pipeline", "blocks"]],
      [512, ["pipeline", "blocks"]],
    ] as const) {
      const fault = await faultOf(() => pipeline(model, method, { blocks: blocks as never }));
      expect({ code: String(fault.code), path: [...fault.path] }).toEqual({ code: "invalid_option", path: [...path] });
    }
  });
});
