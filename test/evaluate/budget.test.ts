import { describe, expect, test } from "bun:test";
import { type Budget, checkBudget, parseBudget } from "../../src/evaluate/sweep/budget.ts";
import { configurations } from "../../src/evaluate/sweep/configuration.ts";
import { full, registry, snapKV } from "../../src/index.ts";
import { faultOf } from "../support/fault.ts";

const labels = (budgets: readonly Budget[], length: number) =>
  configurations([full(), snapKV, registry.window], budgets, length).map(
    ({ method, budget }) => `${method.name} ${budget} ${method.budget}`,
  );

describe("configurations", () => {
  test("are every factory at every budget, and methods that were made at their own", () => {
    expect(labels([64, "25%"], 1000)).toEqual([
      "full all Infinity",
      "snapkv 64 64",
      "snapkv 25% 250",
      "window 64 64",
      "window 25% 250",
    ]);
    expect(configurations([snapKV({ budget: 100 })], [64], 1000)).toMatchObject([{ budget: "100" }]);
  });

  test("are asked once, though they are there twice, and what keeps everything once for all budgets", () => {
    expect(configurations([full, full(), snapKV, snapKV({ budget: 64 })], [64, 64, 128], 1000)).toMatchObject([
      { budget: "all" },
      { budget: "64" },
      { budget: "128" },
    ]);
    // Other options are another configuration.
    expect(configurations([snapKV, (o) => snapKV({ ...o, window: 4 })], [64], 1000)).toHaveLength(2);
  });

  test("round a share to the nearest entry, of at least one", () => {
    const kept = (budget: Budget, length: number) =>
      configurations([registry.window], [budget], length)[0]?.method.budget;
    expect([kept("25%", 10), kept("0.1%", 10), kept("100%", 7), kept("33.3%", 1000)]).toEqual([3, 1, 7, 333]);
  });

  test("refuse a share that a method cannot do with", async () => {
    const { code, path } = await faultOf(() => configurations([snapKV], ["10%"], 50));
    expect({ code, path }).toEqual({ code: "budget_too_small", path: ["snapkv", "budget"] });
  });
});

test.each([
  ["64", 64],
  [" 128 ", 128],
  ["25%", "25%"],
  ["12.50%", "12.5%"],
  ["100%", "100%"],
] as const)("%p is the budget %p", (text, budget) => expect(parseBudget(text, ["--budgets"])).toBe(budget));

test.each(["", "0", "-1", "1.5", "abc", "0%", "101%", "%", "25 %", "1e3", "Infinity"])(
  "%p is no budget",
  async (text) => {
    const { code, path } = await faultOf(() => parseBudget(text, ["--budgets"]));
    expect({ code, path }).toEqual({ code: "invalid_option", path: ["--budgets"] });
  },
);

test.each([null, undefined, Number.NaN, 1.5, 0, -3, {}, Number.POSITIVE_INFINITY])("%p is no budget", async (value) => {
  expect((await faultOf(() => checkBudget(value, ["sweep", "budgets", 0]))).code).toBe("invalid_option");
});
