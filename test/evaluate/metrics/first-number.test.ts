import { expect, test } from "bun:test";
import { firstNumber } from "../../../src/evaluate/metrics/first-number.ts";

test.each([
  [" 77292.\n\nWhat", 1],
  ["77292", 1],
  ["\n77292 ", 1],
  [" 772921", 0],
  [" 7729", 0],
  [" is 77292", 0],
  ["", 0],
])("with the number 77292: %p is worth %p", (answer, worth) => expect(firstNumber(answer, ["77292"])).toBe(worth));

test("any of several numbers will do", () => {
  expect(firstNumber(" 2", ["1", "2"])).toBe(1);
  expect(firstNumber(" 3", ["1", "2"])).toBe(0);
});
