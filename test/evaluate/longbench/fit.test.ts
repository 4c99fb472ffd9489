/** Cutting in the middle: what stays, how much, and that prompts always fit. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { cutMiddle, promptTokens, roomFor } from "../../../src/evaluate/tasks/longbench/fit.ts";
import type { Tokenizer } from "../../../src/model/tokenizer/tokenizer.ts";
import { faultOf } from "../../support/fault.ts";
import { holds } from "../../support/seed.ts";
import { characters, TEMPLATE } from "./helpers.ts";

const text = fc.string({ unit: "grapheme-ascii", maxLength: 60 });
const limits = fc.integer({ min: 2, max: 80 });
const bare: Tokenizer = { ...characters, encode: (text) => characters.encode(text).subarray(1) };

describe("a text cut in the middle", () => {
  test("keeps its first and its last half of the tokens asked for, exactly", () =>
    holds(fc.tuple(text, limits), ([text, limit]) => {
      const cut = cutMiddle(bare, text, limit);
      if (text.length <= limit) return expect(cut).toBe(text);
      const half = Math.floor(limit / 2);
      expect(cut).toBe(text.slice(0, half) + text.slice(-half));
      expect(bare.encode(cut)).toHaveLength(2 * half);
    }));

  test("counts the token that begins a text and leaves it out", () => {
    expect(cutMiddle(characters, "abcdefgh", 9)).toBe("abcdefgh");
    expect(cutMiddle(characters, "abcdefgh", 8)).toBe("abcefgh");
  });
});

describe("a prompt", () => {
  const spacious = { maxLength: 1000, room: 1000 };

  test("that fits is not touched, with and without a template", () =>
    holds(text, (text) => {
      expect(promptTokens("t", text, characters, spacious, false)).toEqual(characters.encode(text));
      const asked = characters.chat([{ role: "user", content: text }]);
      expect(promptTokens("t", text, characters, spacious, true)).toEqual(characters.encode(asked));
    }));

  test("is cut before the template is put around it", () =>
    holds(fc.tuple(text, limits), ([text, maxLength]) => {
      const tokens = promptTokens("t", text, characters, { maxLength, room: 1000 }, true);
      const asked = characters.chat([{ role: "user", content: cutMiddle(characters, text, maxLength) }]);
      expect(tokens).toEqual(characters.encode(asked));
    }));

  test("never exceeds the room, and wastes less than two tokens of it where it is cut", () =>
    holds(fc.tuple(text, fc.integer({ min: TEMPLATE + 3, max: TEMPLATE + 60 })), ([text, room]) => {
      const { length } = promptTokens("t", text, characters, { maxLength: room, room }, true);
      expect(length).toBeLessThanOrEqual(room);
      if (text.length + TEMPLATE + 1 > room) expect(length).toBeGreaterThan(room - 3);
    }));

  test("fits even where its halves read again have more tokens", () => {
    // Every character of a cut text becomes two tokens: as an emoji cut in halves becomes two signs of three bytes each.
    const growing: Tokenizer = { ...bare, decode: (tokens) => bare.decode(tokens).replaceAll("x", "yy") };
    const { length } = promptTokens("t", "x".repeat(100), growing, { maxLength: 50, room: 50 }, false);
    expect(length).toBeLessThanOrEqual(50);
    expect(length).toBeGreaterThan(0);
  });

  test("is refused where the template alone takes the room", async () => {
    const room = { maxLength: 5, room: 5 };
    const fault = await faultOf(() => promptTokens("t", "some text", characters, room, true));
    expect([fault.code, fault.path]).toEqual(["invalid_option", ["t", "maxLength"]]);
  });

  test("asks for a conversation only where a template is wanted", async () => {
    const untaught: Tokenizer = {
      ...characters,
      chat: () => {
        throw new Error("asked for a conversation");
      },
    };
    expect(promptTokens("t", "text", untaught, spacious, false)).toEqual(characters.encode("text"));
    expect(() => promptTokens("t", "text", untaught, spacious, true)).toThrow("asked for a conversation");
  });
});

test("room is what the context has beside the answer, and more than it has is refused", async () => {
  expect(roomFor("t", null, 30, { contextLength: 100 })).toEqual({ maxLength: 70, room: 70 });
  expect(roomFor("t", 20, 30, { contextLength: 100 })).toEqual({ maxLength: 20, room: 70 });
  for (const [asked, contextLength] of [
    [71, 100],
    [null, 31],
    [null, 20],
  ] as const) {
    const fault = await faultOf(() => roomFor("t", asked, 30, { contextLength }));
    expect([fault.code, fault.path]).toEqual(["invalid_option", ["t", "maxLength"]]);
  }
});
