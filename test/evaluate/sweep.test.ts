/** Sweeps: what is asked, once; what an interruption costs; and that a resumed sweep ends as one that was not interrupted. */
import { describe, expect, test } from "bun:test";
import { type Result, type Store, type SweepOptions, sweep } from "../../src/evaluate/index.ts";
import {
  compress,
  d2oMerge,
  full,
  generate,
  type KvErrorCode,
  merged,
  packed,
  prefill,
  quantised,
  snapKV,
  step,
  thinK,
} from "../../src/index.ts";
import { faultOf } from "../support/fault.ts";
import { letterMethods, letterModel, letters, letterTask, withLetters } from "../support/letter-task.ts";
import { sharedModel } from "../support/tiny-model.ts";

const model = await letterModel();
const methods = letterMethods;
const task = letterTask({ examples: 3 });
const base: SweepOptions = { model, tasks: [task], methods, budgets: [16, "50%"] };

/** As much of a store as a sweep needs, in memory. */
function memory(): Pick<Store, "append" | "results"> & { readonly rows: Map<string, Result> } {
  const rows = new Map<string, Result>();
  return {
    rows,
    async append(results) {
      const before = rows.size;
      for (const result of results) if (!rows.has(result.key)) rows.set(result.key, result);
      return rows.size - before;
    },
    async *results() {
      yield* rows.values();
    },
  };
}

/** All but clocks. */
const untimed = ({ prefillMs, compressMs, decodeMs, ...rest }: Result) => rest;
const all = (options: SweepOptions): Promise<Result[]> => Array.fromAsync(sweep(options));

/** The model, with a count of its prefills. */
function counting() {
  const seen = { prefills: 0, steps: 0 };
  const engine: typeof model.engine = {
    ...model.engine,
    prefill: (request) => {
      seen.prefills++;
      return model.engine.prefill(request);
    },
    step: (batch) => {
      seen.steps++;
      return model.engine.step(batch);
    },
  };
  return { seen, model: { ...model, engine } };
}

describe("a sweep", () => {
  test("measures fidelity of methods that pack, merge, prune and quantise, and loses no result to it", async () => {
    const inner = snapKV({ budget: 40 });
    const results = await all({
      ...base,
      tasks: [letterTask({ examples: 2, length: 90 })],
      methods: [packed(inner), merged(inner, d2oMerge()), thinK(snapKV), quantised(snapKV, { bits: 2, recent: 4 })],
      budgets: [40],
      fidelity: true,
    });
    expect(results).toHaveLength(2 * 4);
    for (const { recall, outputError } of results) {
      expect([recall?.length, outputError?.length]).toEqual([2, 2]);
      for (const share of recall ?? []) expect(share > 0 && share < 1).toBe(true);
      for (const error of outputError ?? []) expect(error > 0 && Number.isFinite(error)).toBe(true);
    }
  });

  test("gives a result for every example and configuration, each from one prefill and one batch an example", async () => {
    const { seen, model } = counting();
    const results = await all({ ...base, model });
    expect(results).toHaveLength(3 * (1 + 5 * 2));
    expect(new Set(results.map(({ key }) => key)).size).toBe(results.length);
    // The last token of the prompt, and all but the last of five of an answer.
    expect(seen).toEqual({ prefills: 3, steps: 3 * 5 });
  });

  test("says what each stage alone would say", async () => {
    const results = await all({ ...base, fidelity: true });
    const [example] = await Array.fromAsync(task.examples({ tokenizer: letters, contextLength: 512, seed: 0 }));
    const tokens = letters.encode(String(example?.prompt));
    for (const budget of [16, 30]) {
      const method = snapKV({ budget });
      using context = await prefill(model, tokens.subarray(0, -1), { observe: [method] });
      using cache = await compress(context, method);
      const { bytes } = cache;
      await step(model, cache, tokens.at(-1) ?? 0);
      const { text } = await generate(model, cache, { maxNewTokens: 5, stopTokens: [] });
      const label = budget === 16 ? "16" : "50%";
      const found = results.find((one) => one.example === "0" && one.method === "snapkv" && one.budget === label);
      expect(found).toMatchObject({
        answer: text,
        score: task.score(text, { id: "", prompt: "", answers: [], facets: {} }),
        kept: budget,
        bytes,
        task: "letters",
        taskOptions: { examples: 3, length: 61, maxNewTokens: 5, minNewTokens: 0, stop: "never" },
        seed: 0,
        facets: { length: 61 },
        promptTokens: 61,
        methodOptions: { budget, window: 8, pool: "maxPool(7)" },
        provenance: await model.provenance(),
      });
      expect(found?.recall).toHaveLength(2);
    }
  });

  test("counts what is kept in the layers that methods choose in, on a model with sliding ones beside them", async () => {
    const mixed = withLetters(await sharedModel({ layers: 3, slidingWindow: [4, null, 4] }, 1));
    const results = await all({ ...base, model: mixed, methods: [full(), snapKV] });
    expect(new Set(results.map(({ budget, kept }) => `${budget} is ${kept}`))).toEqual(
      new Set(["all is 60", "16 is 16", "50% is 30"]),
    );
    const bytes = (entries: number) => entries * 2 * 8 * 2 * 4; // KV heads, channels, keys and values, fp32
    expect(new Set(results.map(({ kept, bytes: held }) => held - bytes(kept)))).toEqual(new Set([bytes(4 + 4)]));
  });

  test("may prefill the whole prompt, as the peers do: then the first token is full attention's", async () => {
    const results = await all({ ...base, lastOnCache: false });
    const first = (example: string) => results.filter((one) => one.example === example).map(({ answer }) => answer[0]);
    for (const example of ["0", "1", "2"]) expect(new Set(first(example)).size).toBe(1);
    expect(results.every(({ recall, outputError }) => recall === null && outputError === null)).toBe(true);
  });

  test("ends answers where the task says: at the model's own end, at a line's, or nowhere; and not too early", async () => {
    const answers = async (options: Parameters<typeof letterTask>[0], eosTokens: readonly number[]) => {
      const ending = { ...model, config: { ...model.config, eosTokens } };
      const tasks = [letterTask({ examples: 1, maxNewTokens: 30, ...options })];
      return (await all({ ...base, model: ending, tasks, methods: [full()] })).map(({ answer }) => answer)[0] ?? "";
    };
    const whole = await answers({}, []);
    const [end = 0] = letters.encode(whole.slice(3));
    const until = whole.slice(0, whole.indexOf(whole[3] ?? ""));
    expect(await answers({ stop: "never" }, [end])).toBe(whole);
    expect(await answers({ stop: "model" }, [end])).toBe(until);
    expect((await answers({ stop: "model", minNewTokens: 10 }, [end])).length).toBeGreaterThanOrEqual(10);
    // Here a line ends at whatever letter the model says third.
    const line = { ...letters, encode: (text: string) => (text === "\n" ? Int32Array.of(end) : letters.encode(text)) };
    const tasks = [letterTask({ examples: 1, maxNewTokens: 30, stop: "line" })];
    expect((await all({ ...base, model: { ...model, tokenizer: line }, tasks, methods: [full()] }))[0]?.answer).toBe(
      until,
    );
  });

  test("asks other examples with other seeds, and the same with the same", async () => {
    const answers = async (seeds: number[]) => (await all({ ...base, seeds })).map(untimed);
    expect(await answers([3])).toEqual(await answers([3]));
    const both = await answers([3, 4]);
    expect(both.map(({ seed }) => seed)).toContain(4);
    expect(both.filter(({ seed }) => seed === 3)).toEqual(await answers([3]));
    expect(new Set(both.map(({ key }) => key)).size).toBe(both.length);
  });

  test("reports how far it is, in examples that were missing", async () => {
    const store = memory();
    const seen: (readonly [number, number, string | undefined])[] = [];
    const onProgress: SweepOptions["onProgress"] = ({ done, total, example }) =>
      void seen.push([done, total, example?.id]);
    await all({ ...base, tasks: [letterTask({ examples: 2 })], store: fake(store), onProgress });
    await all({ ...base, tasks: [letterTask({ examples: 2 })], store: fake(store), onProgress });
    expect(seen).toEqual([
      [0, 2, undefined],
      [1, 2, "0"],
      [2, 2, "1"],
      [0, 0, undefined],
    ]);
  });
});

/** The rest of a store, which sweeps do not touch. */
const fake = (part: Pick<Store, "append" | "results">): Store => ({
  path: "",
  query: unused,
  merge: unused,
  export: unused,
  keys: unused,
  [Symbol.asyncDispose]: async () => {},
  ...part,
});
const unused = (): never => {
  throw new Error("not of a sweep's concern");
};

describe("a sweep that goes on", () => {
  test("after any number of results computes only what is missing and ends as one that was never interrupted", async () => {
    const whole = (await all(base)).map(untimed);
    for (const stop of [1, 11, 12, 30]) {
      const store = memory();
      let seen = 0;
      for await (const _ of sweep({ ...base, store: fake(store) })) if (++seen === stop) break;
      // Whole examples: what was being read when the reader left is stored.
      expect(store.rows.size).toBe(Math.ceil(stop / 11) * 11);
      const { seen: worked, model } = counting();
      const resumed = await all({ ...base, model, store: fake(store) });
      expect(resumed.map(untimed)).toEqual(whole);
      expect(worked.prefills).toBe(3 - Math.ceil(stop / 11));
      expect([...store.rows.values()].map(untimed)).toEqual(whole);
    }
  });

  test("after an abort has lost no more than the example at work", async () => {
    const store = memory();
    const controller = new AbortController();
    const onProgress: SweepOptions["onProgress"] = ({ done }) => done === 2 && controller.abort();
    const fault = await faultOf(() => all({ ...base, store: fake(store), signal: controller.signal, onProgress }));
    expect(fault.code).toBe("aborted");
    expect(store.rows.size).toBe(22);
  });

  test("with another method, budget, seed or example computes just that", async () => {
    const store = memory();
    await all({ ...base, store: fake(store) });
    const before = store.rows.size;
    const more = async (options: Partial<SweepOptions>) => {
      await all({ ...base, store: fake(store), ...options });
      const added = [...store.rows.keys()].slice(before);
      for (const key of added) store.rows.delete(key);
      return added.length;
    };
    expect(await more({})).toBe(0);
    expect(await more({ methods: [...methods, (o) => snapKV({ ...o, window: 4 })] })).toBe(3 * 2);
    expect(await more({ budgets: [16, "50%", 20] })).toBe(3 * 5);
    expect(await more({ tasks: [letterTask({ examples: 4 })] })).toBe(11);
    expect(await more({ tasks: [letterTask({ maxNewTokens: 4 })] })).toBe(3 * 11);
    expect(await more({ tasks: [{ ...task, name: "others" }] })).toBe(3 * 11);
    expect(await more({ seeds: [0, 1] })).toBe(3 * 11);
    expect(await more({ lastOnCache: false })).toBe(3 * 11);
    const provenance = async () => ({ ...(await model.provenance()), weights: "others" });
    expect(await more({ model: { ...model, provenance } })).toBe(3 * 11);
    const same = { ...task, examples: () => task.examples({ tokenizer: letters, contextLength: 512, seed: 0 }) };
    expect(await more({ tasks: [same], seeds: [0, 7] })).toBe(3 * 11);
  });
});

describe("a sweep that cannot work is refused before anything is computed:", () => {
  const refused: readonly (readonly [string, Partial<SweepOptions>, KvErrorCode])[] = [
    ["no tasks", { tasks: [] }, "invalid_option"],
    ["no methods", { methods: [] }, "invalid_option"],
    ["a budget that is none", { budgets: [0] }, "invalid_option"],
    ["a budget below a window", { budgets: [8] }, "budget_too_small"],
    ["a share below a window", { budgets: ["5%"] }, "budget_too_small"],
    ["seeds that are none", { seeds: [1.5] }, "invalid_option"],
    ["a model without tokenizer", { model: { ...model, tokenizer: null } }, "tokenizer_missing"],
    ["a prompt and answer beyond the context", { tasks: [letterTask({ length: 510 })] }, "prompt_too_long"],
    ["a second task that is wrong", { tasks: [task, letterTask({ length: 600 })] }, "prompt_too_long"],
  ];
  for (const [name, options, code] of refused)
    test(name, async () => {
      const { seen, model } = counting();
      const fault = await faultOf(() => all({ ...base, model, ...options }));
      expect(fault.code).toBe(code);
      expect(seen.prefills).toBe(0);
    });
});
