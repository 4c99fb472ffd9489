import { expect, test } from "bun:test";
import { firstLabel } from "../../../src/evaluate/metrics/first-label.ts";

test.each([
  [": Date\n\nQuestion: Who", 1],
  [":Date", 1],
  [": date and more", 1],
  [": Dates", 0],
  [": Animal\nCategory: Date", 0],
  [":\nDate", 0],
  [" Date", 0],
  ["", 0],
])("with the label Date after a colon: %p is worth %p", (answer, worth) =>
  expect(firstLabel(answer, ["Date"])).toBe(worth),
);

test("any of several labels will do, whatever characters they hold", () => {
  expect(firstLabel(": a.b", ["c", "a.b"])).toBe(1);
  expect(firstLabel(": axb", ["c", "a.b"])).toBe(0);
  expect(firstLabel(": C++ of course", ["C++"])).toBe(1);
});
