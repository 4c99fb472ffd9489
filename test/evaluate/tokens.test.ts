/** A place in a text, as a token. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { tokenAt } from "../../src/evaluate/tokens.ts";
import { holds } from "../support/seed.ts";
import { pieces } from "./tasks/helpers.ts";

test("the token at a word's beginning is the first of that word", () =>
  holds(
    fc.record({
      words: fc.array(fc.stringMatching(/^[a-z]{1,9}$/), { minLength: 1, maxLength: 12 }),
      pick: fc.nat(),
      letters: fc.integer({ min: 1, max: 6 }),
      start: fc.boolean(),
    }),
    ({ words, pick, letters, start }) => {
      const tokenizer = pieces(letters, start);
      const text = words.join("\n");
      const at = words.slice(0, pick % words.length).join("\n").length + (pick % words.length === 0 ? 0 : 1);
      const tokens = tokenizer.encode(text);
      expect(tokenizer.decode(tokens.slice(tokenAt(tokenizer, text, at)))).toBe(text.slice(at));
    },
  ));
