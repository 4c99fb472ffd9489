/** Sweeps with what evicts while answers are decoded: the same answers as `pipeline`, results that never mix, and jobs as plain data. */
import { describe, expect, test } from "bun:test";
import {
  inProcess,
  type Job,
  type Outcome,
  openStore,
  type Queue,
  type Result,
  type SweepMethod,
  type SweepOptions,
  summarise,
  sweep,
  sweepRunner,
} from "../../src/evaluate/index.ts";
import { configurations } from "../../src/evaluate/sweep/configuration.ts";
import { keysOf } from "../../src/evaluate/sweep/key.ts";
import {
  compress,
  everySteps,
  full,
  generate,
  h2o,
  heavyHitters,
  lagKV,
  type MethodFactory,
  type PolicyFactory,
  packed,
  pipeline,
  prefill,
  quantised,
  snapKV,
  step,
  streamingWindow,
  tokenOmission,
  tova,
} from "../../src/index.ts";
import { faultOf } from "../support/fault.ts";
import { letterModel, letters, letterTask } from "../support/letter-task.ts";

const model = await letterModel();
const NEW = 40;
const task = letterTask({ examples: 2, length: 61, maxNewTokens: NEW });
const again: PolicyFactory<{ readonly budget: number }> = ({ budget }) => everySteps(tova({ budget }), { every: 3 });
const policies = { streamingWindow, heavyHitters, tokenOmission, again };
const pairs = Object.values(policies).flatMap((evict): SweepMethod[] => [
  { method: full, evict },
  { method: h2o, evict },
]);
const base: SweepOptions = { model, tasks: [task], methods: [full(), h2o, ...pairs], budgets: [16, "50%"] };
const all = (options: SweepOptions): Promise<Result[]> => Array.fromAsync(sweep(options));
/** All but clocks. */
const untimed = ({ prefillMs, compressMs, decodeMs, ...rest }: Result) => rest;

describe("a sweep's answer is", () => {
  const prompts = async () =>
    (await Array.fromAsync(task.examples({ tokenizer: letters, contextLength: 512, seed: 0 }))).map(({ prompt }) =>
      letters.encode(String(prompt)),
    );
  const methods: readonly MethodFactory[] = [full, h2o];

  test("the pipeline's with the same method and policy, where all of the prompt is prefilled", async () => {
    const results = await all({ ...base, lastOnCache: false });
    const texts = new Set<string>();
    for (const [i, prompt] of (await prompts()).entries())
      for (const method of methods)
        for (const evict of Object.values(policies)) {
          const made = { method: method({ budget: 16 }), evict: evict({ budget: 16 }) };
          const options = { evict: made.evict, maxNewTokens: NEW, stopTokens: [] };
          const { text } = await pipeline(model, made.method, options)(prompt);
          const [found, ...others] = results.filter(
            (one) =>
              one.example === `${i}` &&
              one.budget === "16" &&
              one.method === `${made.method.name}+${made.evict.name}` &&
              JSON.stringify(one.methodOptions.evict) ===
                JSON.stringify({ name: made.evict.name, options: made.evict.options }),
          );
          expect(others).toEqual([]);
          expect(found?.answer).toBe(text);
          texts.add(text);
        }
    expect(texts.size).toBeGreaterThan(10); // of 16: that policies make a difference here
  });

  test("that of the stages, where the prompt's last token is decoded on what was kept", async () => {
    const results = await all(base);
    for (const [i, prompt] of (await prompts()).entries())
      for (const method of methods)
        for (const evict of Object.values(policies)) {
          const [first, policy] = [method({ budget: 30 }), evict({ budget: 30 })];
          using context = await prefill(model, prompt.subarray(0, -1), { observe: [first, policy] });
          using cache = await compress(context, first);
          await step(model, cache, prompt.at(-1) ?? 0, { evict: policy });
          const { text } = await generate(model, cache, { evict: policy, maxNewTokens: NEW, stopTokens: [] });
          const name = `${first.name}+${policy.name}`;
          const found = results.find((one) => one.example === `${i}` && one.budget === "50%" && one.method === name);
          expect(found?.answer).toBe(text);
          expect(found?.kept).toBe(first.budget === 30 ? 30 : 60);
        }
  });
});

test("a policy begins with what prefill saw for it, though no method asks for that", async () => {
  const alone = (await all({ ...base, methods: [{ method: full, evict: heavyHitters }] })).map(untimed);
  expect(alone).toEqual((await all(base)).map(untimed).filter(({ key }) => alone.some((one) => one.key === key)));
  expect(alone).toHaveLength(2 * 2);
});

describe("results with policies", () => {
  test("have keys and names of their own, and leave those without as they are", async () => {
    const results = (await all(base)).map(untimed);
    expect(results).toHaveLength(2 * (1 + 2 + 8 * 2));
    expect(new Set(results.map(({ key }) => key)).size).toBe(results.length);
    const without = results.filter(({ method }) => !method.includes("+"));
    expect(without).toEqual((await all({ ...base, methods: [full(), h2o] })).map(untimed));
    const groups = summarise(await all(base)).map(({ group }) => `${group.method} ${group.budget}`);
    expect(groups).toContain("full all");
    expect(groups).toContain("full+streamingwindow 16");
    expect(groups).toContain("h2o+everysteps 50%");
    expect(groups).toHaveLength(1 + 2 + 8 * 2);
  });

  test("go on in a store that has others, and are not taken for those of other policies", async () => {
    await using store = await openStore();
    const options = { ...base, budgets: [16], store };
    const added = async (methods: readonly SweepMethod[]) => {
      const before = (await store.keys()).size;
      await all({ ...options, methods });
      return (await store.keys()).size - before;
    };
    expect(await added([h2o])).toBe(2);
    expect(await added([h2o, { method: h2o, evict: heavyHitters }])).toBe(2);
    expect(await added([{ method: h2o, evict: ({ budget }) => heavyHitters({ budget, recent: 0.2 }) }])).toBe(2);
    expect(await added([{ method: h2o, evict: heavyHitters({ budget: 16 }) }])).toBe(0);
    expect(await added([{ method: h2o, evict: heavyHitters({ budget: 17 }) }])).toBe(2);
    expect(await added([{ method: h2o, evict: heavyHitters({ budget: "20%" }) }])).toBe(2);
    expect(await added([{ method: h2o, evict: heavyHitters }])).toBe(0);
    const [stored] = (await Array.fromAsync(store.results())).filter(({ method }) => method === "h2o+heavyhitters:17");
    expect(stored?.methodOptions).toEqual({
      budget: 16,
      window: 8,
      evict: { name: "heavyhitters", options: { recent: 0.5, budget: 17 } },
    });
  });
});

test("a result without a policy has the key that older stores know it by", () => {
  const provenance = {
    weights: "w",
    engine: "onnx",
    precision: "fp32",
    model: "m",
    revision: null,
    threads: 1,
    versions: {},
  };
  const identity = { task: "needle", seed: 0, example: "0", answers: ["7319"] };
  const ask = {
    prompt: [1, 2, 3],
    maxNewTokens: 8,
    minNewTokens: 0,
    stopTokens: [0],
    lastOnCache: true,
    fidelity: false,
  };
  // Made by the version before policies (1cbe0ad).
  const known = "be30c18461177ae59e33cae2599cd46498f811599d938e242f0e5472af13c71b";
  expect(keysOf(provenance, identity, ask, configurations([snapKV], [16], 100))).toEqual([known]);
});

test("a configuration is named by the budget that was asked for, and a policy's own stands in its name", () => {
  const labels = (...methods: readonly SweepMethod[]) =>
    configurations(methods, [64, "25%"], 1000).map(
      ({ name, budget, evict }) => `${name} at ${budget}: ${evict?.budget}`,
    );
  const own = streamingWindow({ budget: 128 });
  expect(labels({ method: snapKV, evict: streamingWindow })).toEqual([
    "snapkv+streamingwindow at 64: 64",
    "snapkv+streamingwindow at 25%: 250",
  ]);
  expect(labels({ method: full, evict: streamingWindow })).toEqual(labels({ method: full(), evict: streamingWindow }));
  expect(labels({ method: snapKV, evict: own })).toEqual([
    "snapkv+streamingwindow:128 at 64: 128",
    "snapkv+streamingwindow:128 at 25%: 128",
  ]);
  expect(labels({ method: full, evict: own })).toEqual(["full+streamingwindow at 128: 128"]);
  expect(labels({ method: full(), evict: streamingWindow({ budget: "50%" }) })).toEqual([
    "full+streamingwindow at 50%: 50%",
  ]);
  expect(labels({ method: snapKV({ budget: 40 }), evict: streamingWindow })).toEqual([
    "snapkv+streamingwindow at 64: 64",
    "snapkv+streamingwindow at 25%: 250",
  ]);
  expect(labels({ method: snapKV({ budget: 40 }), evict: own })).toEqual(["snapkv+streamingwindow:128 at 40: 128"]);
  expect(labels({ method: full, evict: everySteps(full()) })).toEqual(["full+everysteps at all: Infinity"]);
});

describe("a runner", () => {
  /** As Redis has it: jobs and outcomes are text on their way. */
  const texts = (methods: readonly SweepMethod[]): Queue<Job, Outcome> => {
    const run = sweepRunner({ model, methods });
    return inProcess(async (job, signal) => {
      const sent: Job = JSON.parse(JSON.stringify(job));
      return JSON.parse(JSON.stringify(await run(sent, signal)));
    });
  };

  test("far away makes the same of a job that was sent as text", async () => {
    const methods: readonly SweepMethod[] = [
      ...base.methods,
      { method: full, evict: everySteps(full(), { every: 2 }) },
      { method: snapKV, evict: streamingWindow({ budget: "50%", positions: "cache" }) },
    ];
    const here = (await all({ ...base, methods })).map(untimed);
    const there = (await all({ ...base, methods, queue: texts(methods.toReversed()) })).map(untimed);
    expect(there).toEqual(here);
  });

  test("passes over factories that cannot do with another's budget", async () => {
    const tight: SweepMethod = { method: full(), evict: ({ budget }) => everySteps(lagKV({ budget }), { every: 2 }) };
    const methods: readonly SweepMethod[] = [
      lagKV,
      tight,
      snapKV({ budget: 10 }),
      { method: full(), evict: streamingWindow({ budget: 6 }) },
    ];
    const results = await all({ ...base, methods, budgets: [30] });
    expect(results).toHaveLength(2 * 4);
  });

  test("refuses a job whose policy it was not given, or not with these options", async () => {
    for (const methods of [
      [h2o],
      [heavyHitters({ budget: 17 }), tokenOmission].map((evict) => ({ method: h2o, evict })),
      [{ method: full, evict: heavyHitters }],
    ]) {
      const asked: SweepMethod = { method: h2o, evict: heavyHitters };
      const fault = await faultOf(() => all({ ...base, budgets: [16], methods: [asked], queue: texts(methods) }));
      expect(fault).toMatchObject({ code: "invalid_option", path: ["worker", "methods"] });
      expect(fault.message).toContain("heavyhitters");
    }
  });
});

describe("refused before anything is computed:", () => {
  const untyped = (value: unknown) => ({ ...base, methods: [value as SweepMethod] });
  let prefills = 0;
  const engine: typeof model.engine = {
    ...model.engine,
    prefill: (request) => {
      prefills++;
      return model.engine.prefill(request);
    },
  };
  const refused: readonly (readonly [string, Partial<SweepOptions>, string])[] = [
    ["a policy that is none", untyped({ method: snapKV, evict: 5 }), "invalid_option"],
    ["a policy by its name", untyped({ method: snapKV, evict: "streamingwindow" }), "invalid_option"],
    ["a misspelt policy", untyped({ method: snapKV, evicts: streamingWindow }), "invalid_option"],
    ["a policy without a method", untyped({ evict: streamingWindow }), "invalid_option"],
    ["a policy in the method's place", untyped(streamingWindow({ budget: 16 })), "invalid_option"],
    [
      "a budget below a policy's sinks",
      { methods: [{ method: full(), evict: streamingWindow }], budgets: [4] },
      "budget_too_small",
    ],
    [
      "a compact cache",
      { methods: [{ method: quantised(snapKV, { bits: 4 }), evict: streamingWindow }] },
      "invalid_option",
    ],
    [
      "sums over packed positions",
      { methods: [{ method: packed(h2o({ budget: 16 })), evict: heavyHitters }] },
      "invalid_option",
    ],
    [
      "a method that cannot run again",
      { methods: [{ method: h2o, evict: ({ budget }) => everySteps(h2o({ budget })) }] },
      "invalid_option",
    ],
  ];
  for (const [name, options, code] of refused)
    test(name, async () => {
      const fault = await faultOf(() => all({ ...base, ...options, model: { ...model, engine } }));
      expect<string>(fault.code).toBe(code);
      expect(prefills).toBe(0);
    });
});
