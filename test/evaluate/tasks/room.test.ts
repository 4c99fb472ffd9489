/** The largest size that fits is found, however sizes and limits lie. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { largest } from "../../../src/evaluate/tasks/room.ts";
import { holds } from "../../support/seed.ts";

const size = fc.integer({ min: 0, max: 300 });

test("the largest that fits is the one that trying all finds", () =>
  holds(fc.tuple(size, size, size), ([limit, least, most]) => {
    const all = Array.from({ length: Math.max(0, most - least + 1) }, (_, i) => least + i);
    expect(largest((size) => size <= limit, least, most)).toBe(all.filter((size) => size <= limit).at(-1) ?? null);
  }));

test("few are tried", () =>
  holds(size, (limit) => {
    let tried = 0;
    largest((size) => ++tried > 0 && size <= limit, 0, 1e9);
    expect(tried).toBeLessThanOrEqual(20);
  }));
