import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { textStream } from "../../src/generate/text.ts";
import { byteTokenizer, chunkTokenizer } from "../support/chunk-tokenizer.ts";
import { holds } from "../support/seed.ts";

const RUNS = 500;
const CHARACTERS = ["a", "b", "\n", "é", "€", "🙂", "🙃"]; // one to four bytes, and two that share three of them
const text = (maxLength: number, minLength = 0) =>
  fc.string({ unit: fc.constantFrom(...CHARACTERS), maxLength, minLength });
const stops = fc.array(text(4, 1), { maxLength: 3 });

/** A text as the bytes of its tokens, cut anywhere. */
const cutText = text(12).chain((whole) => {
  const bytes = Buffer.from(whole);
  return fc.subarray([...bytes.keys()].slice(1)).map((cuts) => {
    const edges = [0, ...cuts, bytes.length];
    return { whole, chunks: edges.slice(1).map((end, i) => Uint8Array.from(bytes.subarray(edges[i], end))) };
  });
});

/** The text before the stop string that is complete first; of several at once, the longest. Character by character. */
function before(whole: string, stops: readonly string[]): string {
  for (let end = 1; end <= whole.length; end++) {
    const complete = stops.filter((stop) => whole.slice(0, end).endsWith(stop)).map((stop) => stop.length);
    if (complete.length > 0) return whole.slice(0, end - Math.max(...complete));
  }
  return whole;
}

/** Everything a reader of these tokens gets, piece by piece, until the text stops. */
function read(chunks: readonly Uint8Array[], stops: readonly string[]) {
  const stream = textStream(chunkTokenizer(chunks), stops);
  const pieces: string[] = [];
  for (const token of chunks.keys()) {
    const piece = stream.push(token);
    pieces.push(piece.text);
    if (piece.stopped) return { pieces, stopped: true };
  }
  const rest = stream.end();
  return { pieces: [...pieces, rest.text], stopped: rest.stopped };
}

describe("textStream", () => {
  test("pieces, joined, are the decoded whole, whatever the bytes", () => {
    const valid = text(3).map((characters) => [...Buffer.from(characters)]);
    const anything = fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 6 });
    const continued = fc.array(fc.integer({ min: 0x80, max: 0xff }), { maxLength: 40 });
    const bytes = fc.array(fc.oneof(valid, anything, continued), { maxLength: 6 }).map((parts) => parts.flat());
    return holds(
      bytes,
      (tokens) => {
        const stream = textStream(byteTokenizer, []);
        const pieces = tokens.map((token) => stream.push(token).text);
        expect([...pieces, stream.end().text].join("")).toBe(byteTokenizer.decode(tokens));
      },
      RUNS,
    );
  });

  test("a character that comes after many broken ones is whole", () => {
    for (const broken of [12, 13, 14, 15, 16, 31]) {
      const tokens = [...new Array<number>(broken).fill(0x80), ...Buffer.from("🙂a")];
      const stream = textStream(byteTokenizer, []);
      const pieces = tokens.map((token) => stream.push(token).text);
      expect(pieces.join("")).toBe(`${"\uFFFD".repeat(broken)}🙂a`);
    }
  });

  test("the text ends before the first stop string, however the tokens cut it", () =>
    holds(
      fc.tuple(cutText, stops),
      ([{ whole, chunks }, stops]) => {
        const { pieces, stopped } = read(chunks, stops);
        expect(pieces.join("")).toBe(before(whole, stops));
        expect(stopped).toBe(stops.some((stop) => whole.includes(stop)));
      },
      RUNS,
    ));

  test("no piece holds half a character", () =>
    holds(
      fc.tuple(cutText, stops),
      ([{ chunks }, stops]) => {
        for (const piece of read(chunks, stops).pieces) {
          expect(piece.isWellFormed()).toBe(true);
          expect(piece).not.toContain("\uFFFD");
        }
      },
      RUNS,
    ));

  test("what was given is never taken back: more text only adds to it", () =>
    holds(
      fc.tuple(cutText, stops, text(6)),
      ([{ whole, chunks }, stops, more]) => {
        const stream = textStream(chunkTokenizer(chunks), stops);
        let given = "";
        for (const token of chunks.keys()) {
          const piece = stream.push(token);
          given += piece.text;
          if (piece.stopped) break;
        }
        expect(before(whole + more, stops)).toStartWith(given);
      },
      RUNS,
    ));

  test("no more is held back than what may begin a stop string", () =>
    holds(
      fc.tuple(text(12), stops),
      ([whole, stops]) => {
        fc.pre(!stops.some((stop) => whole.includes(stop)));
        const characters = Array.from(whole, (character) => Uint8Array.from(Buffer.from(character)));
        const stream = textStream(chunkTokenizer(characters), stops);
        const last = [...characters.keys()].map((token) => stream.push(token)).at(-1);
        const held = stream.end().text;
        expect(held === "" || stops.some((stop) => stop.startsWith(held))).toBe(true);
        expect(last?.settled ?? true).toBe(held === "");
      },
      RUNS,
    ));

  test.each([
    ["the one that is complete first counts", "xabcd", ["abcd", "bc"], "xa"],
    ["of two complete at once, the longer", "xabc", ["c", "abc", "bc"], "x"],
    ["a stop string that is the beginning of another", "xab", ["abc", "ab"], "x"],
    ["a beginning that comes to nothing", "aab", ["ab"], "a"],
    ["a beginning at the end of the text", "xa", ["ab"], "xa"],
    ["characters of many bytes", "x🙂🙃y", ["🙃"], "x🙂"],
    ["several occurrences", "xaya", ["a"], "x"],
  ])("%s", (_name, whole, stops, expected) => {
    const bytes = Buffer.from(whole);
    const single = Array.from(bytes, (byte) => Uint8Array.of(byte));
    expect(read(single, stops).pieces.join("")).toBe(expected);
    expect(read([Uint8Array.from(bytes)], stops).pieces.join("")).toBe(expected);
  });
});
