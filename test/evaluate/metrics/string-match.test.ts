/** What RULER's own code says of answers; test/fixtures/ruler/make_ruler.py asked it. */
import { expect, test } from "bun:test";
import { stringMatchAll, stringMatchPart } from "../../../src/evaluate/metrics/string-match.ts";
import golden from "../../fixtures/ruler/ruler.json";

test.each(golden.metrics)("$answer with $references", ({ answer, references, all, part }) => {
  expect(100 * stringMatchAll(answer, references)).toBeCloseTo(all, 2); // theirs is in per cent, with two digits
  expect(100 * stringMatchPart(answer, references)).toBe(part);
});
