import { describe, test } from "bun:test";
import assert from "node:assert/strict";
import { onnxKernels } from "../../kernels/index.ts";
import { headImportance } from "../../src/allocation/head-importance.ts";
import { headScores } from "../../src/allocation/head-scores.ts";
import { layerUncertainty } from "../../src/allocation/layer-uncertainty.ts";
import { pyramid } from "../../src/allocation/pyramid.ts";
import { uniform } from "../../src/allocation/uniform.ts";
import { publishedRegistry } from "../../src/methods/as-published/index.ts";
import { d2o } from "../../src/methods/d2o.ts";
import { define } from "../../src/methods/define.ts";
import { duoAttention } from "../../src/methods/duoattention.ts";
import { full } from "../../src/methods/full.ts";
import { headKV } from "../../src/methods/headkv.ts";
import { keyDiff } from "../../src/methods/keydiff.ts";
import { knorm } from "../../src/methods/knorm.ts";
import { luKV } from "../../src/methods/lukv.ts";
import { firstAndLast, type MethodFactory } from "../../src/methods/method.ts";
import { count } from "../../src/methods/options.ts";
import { registry } from "../../src/methods/registry.ts";
import { select } from "../../src/methods/select.ts";
import { snapKV } from "../../src/methods/snapkv.ts";
import { withSchedule } from "../../src/methods/with-schedule.ts";
import { chain } from "../../src/scoring/chain.ts";
import { maxOverGroup, meanOverGroup } from "../../src/scoring/group.ts";
import { avgPool, maxPool } from "../../src/scoring/pool.ts";
import { step } from "../../src/scoring/score.ts";
import { windowAttention } from "../../src/scoring/window-attention.ts";
import { layersOf } from "../support/arbitraries.ts";
import { measuredMethods, someHeads } from "../support/measurements.ts";
import { assertMethodLaw, assertMethodLaws, type LawFactory, methodLaws } from "../support/method-laws.ts";

const cpu = onnxKernels({ threads: 2 });

/** What none of ours has, and a user may compose: scored candidates between sinks and window, heads joined by maximum. */
const between = define("between", { options: { window: count(1).default(5) }, budgetAbove: "window" }, (options) => ({
  keep: firstAndLast(1, options.window - 1),
  score: chain(windowAttention(options.window - 1), maxOverGroup, avgPool(3)),
  allocate: pyramid({ beta: 3 }),
}));
/** A schedule of another method under a score, by heads and by layers. */
const elsewhere: LawFactory = (options, shape) =>
  withSchedule(knorm(options), headImportance({ heads: someHeads({ seed: 3, levels: 4 }, shape) }), "knorm by heads");
const looking: LawFactory = (options) =>
  withSchedule(keyDiff({ ...options, window: 4 }), layerUncertainty({ window: 4 }), "keydiff by layers");
/** Layers that are served before others. */
const exempting: LawFactory = (options) => d2o({ ...options, exemptLowest: 1, exemptHighest: 1 });

const methods: Readonly<Record<string, MethodFactory>> = { ...registry, ...publishedRegistry, between };
const told = {
  ...measuredMethods,
  "knorm by heads": elsewhere,
  "keydiff by layers": looking,
  "d2o, exempt layers": exempting,
};

for (const [name, factory] of Object.entries<LawFactory>({ ...methods, ...told })) {
  describe(name, () => {
    for (const law of methodLaws) test(law, () => assertMethodLaw(law, factory));
    test("all of this on the CPU kernels", () => assertMethodLaws(factory, { kernels: cpu, runs: 8 }));
  });
}

describe("scores that cannot be ranked", () => {
  const shape = { seed: 1, layers: 2, kvHeads: 2, group: 2, length: 40, budget: 16 };
  const method = snapKV({ budget: 16 });

  test("NaN is an error that says where, not an arbitrary selection", async () => {
    const score = chain(
      windowAttention(8),
      meanOverGroup,
      step("broken", async ({ data, dims }) => ({ data: data.with(35, Number.NaN), dims })),
    );
    const fault = { code: "engine_failed", message: /layer 0.row 1.position 3 is "NaN"/ };
    await assert.rejects(select({ ...method, score }, await layersOf(shape, cpu)), fault);
  });

  test("NaN in the keys is not pooled away", async () => {
    const layers = (await layersOf(shape, cpu)).map((layer) => ({
      ...layer,
      keys: { ...layer.keys, data: layer.keys.data.with(0, Number.NaN) },
    }));
    const poolFirst = chain(windowAttention(8), maxPool(7), meanOverGroup);
    for (const score of [method.score, poolFirst]) {
      await assert.rejects(select({ ...method, score }, layers), { code: "engine_failed" });
    }
  });

  test("one row per query head, where a step over the group was forgotten, is an error with both shapes", async () => {
    const fault = { code: "wrong_shape", message: /is \[4,32\], but must be \[2, 32\]/ };
    await assert.rejects(select({ ...method, score: windowAttention(8) }, await layersOf(shape, cpu)), fault);
  });

  test("a score whose window reaches beyond the always-kept tokens is an error", async () => {
    const score = chain(windowAttention(9), meanOverGroup);
    await assert.rejects(select({ ...method, score }, await layersOf(shape, cpu)), { code: "invalid_option" });
  });
});

describe("options", () => {
  for (const [name, factory] of Object.entries(methods)) {
    const build = factory as (options: unknown) => unknown;

    test(`${name} names a budget it cannot use`, () => {
      for (const budget of [-8, 0, 64.5, Number.NaN, Number.POSITIVE_INFINITY, "64", null]) {
        const code = /^(invalid_option|budget_too_small)$/;
        assert.throws(() => build({ budget }), {
          name: "KvError",
          code,
          path: [name, "budget"],
          message: /must be an integer >/,
        });
      }
    });

    test(`${name} refuses an option it does not have, and says which it has`, () => {
      const message = new RegExp(`the options of ${name} are budget`);
      assert.throws(() => build({ budget: 256, widow: 8 }), { code: "invalid_option", path: [name, "widow"], message });
    });

    test(`${name} refuses what is no object`, () => {
      for (const options of [null, 64, "64", [64]]) {
        assert.throws(() => build(options), { code: "invalid_option", path: [name] });
      }
    });

    test(`${name} records its options as plain data`, () => {
      const { options } = factory({ budget: 256 });
      assert.deepEqual(JSON.parse(JSON.stringify(options)), options);
    });
  }

  test("a budget that the always-kept tokens use up is refused with the smallest that is allowed", () => {
    const message =
      "snapkv.budget is 4, but must be an integer > 8 (window): what is always kept would take all of it.";
    assert.throws(() => snapKV({ budget: 4 }), { code: "budget_too_small", message });
    assert.throws(() => snapKV({ budget: 32, window: 32 }), { code: "budget_too_small", message: /> 32 \(window\)/ });
    assert.throws(() => registry.streamingllm({ budget: 4 }), { code: "budget_too_small", message: /> 4 \(sinks\)/ });
    assert.throws(() => registry.h2o({ budget: 8 }), { code: "budget_too_small", message: /> 8 \(window\)/ });
  });

  test("a method of one's own refuses a budget that its kept tokens use up, without being told which option counts them", () => {
    const own = define("own", { options: {} }, () => ({
      keep: firstAndLast(2, 4),
      score: windowAttention(4),
      allocate: uniform(),
    }));
    assert.throws(() => own({ budget: 6 }), { code: "budget_too_small", message: /> 6 \(always kept\)/ });
    assert.equal(own({ budget: 7 }).budget, 7);
  });

  test("windows, sinks, pools and steepness are checked", () => {
    const refused = (path: readonly string[], build: () => unknown) =>
      assert.throws(build, { name: "KvError", code: "invalid_option", path });
    refused(["snapkv", "window"], () => snapKV({ budget: 64, window: 0 }));
    refused(["snapkv", "window"], () => snapKV({ budget: 64, window: 8.5 }));
    refused(["snapkv", "pool"], () => snapKV({ budget: 64, pool: 7 as never }));
    refused(["streamingllm", "sinks"], () => registry.streamingllm({ budget: 64, sinks: -1 }));
    refused(["pyramidkv", "beta"], () => registry.pyramidkv({ budget: 64, beta: 1 }));
    refused(["maxPool", "size"], () => maxPool(4));
    refused(["cake", "window"], () => registry.cake({ budget: 64, window: 1 }));
    refused(["cake", "gamma"], () => registry.cake({ budget: 64, gamma: -1 }));
    refused(["zigzagkv", "share"], () => registry.zigzagkv({ budget: 64, share: 0 }));
    refused(["pyramidinfer", "decay"], () => registry.pyramidinfer({ budget: 64, decay: 1.5 }));
    refused(["headkv", "heads"], () => headKV({ budget: 64, heads: [[1]] as never }));
    refused(["headkv", "widow"], () => headKV({ budget: 64, heads: headScores([[1]]), widow: 8 } as never));
    refused(["duoattention", "sinks"], () => duoAttention({ budget: 64, heads: headScores([[1]]), sinks: -1 }));
    refused(["lukv", "curves"], () => luKV({ budget: 64, curves: headScores([[1]]) as never }));
  });

  test("defaults are the paper's, and a pool is recorded by name", () => {
    assert.deepEqual(registry.pyramidkv({ budget: 64 }).options, {
      budget: 64,
      window: 8,
      pool: "maxPool(7)",
      beta: 20,
    });
    assert.deepEqual(registry.streamingllm({ budget: 64 }).options, { budget: 64, sinks: 4 });
    const heads = headScores([[1]], "needles");
    assert.deepEqual(duoAttention({ budget: 64, heads }).options, {
      budget: 64,
      heads: "needles",
      sinks: 4,
      recent: 16,
    });
    assert.deepEqual(full().budget, Number.POSITIVE_INFINITY);
  });
});
