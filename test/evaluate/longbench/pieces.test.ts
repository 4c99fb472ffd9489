/** Lines and items are the same however a file's bytes come. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { itemsOf, linesOf, type Piece } from "../../../src/evaluate/tasks/longbench/pieces.ts";
import { holds } from "../../support/seed.ts";

async function* chunked(bytes: Uint8Array, sizes: readonly number[]) {
  let from = 0;
  for (const size of sizes) {
    yield bytes.subarray(from, from + size);
    from += size;
  }
  yield bytes.subarray(from);
}

/** Pieces as texts; what is no piece, as what was found. */
const read = async (pieces: AsyncIterable<Piece>): Promise<string[]> =>
  await Array.fromAsync(pieces, (piece) =>
    "bytes" in piece ? new TextDecoder().decode(piece.bytes) : `(${piece.place}: ${piece.found})`,
  );

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const sizes = fc.array(fc.integer({ min: 0, max: 12 }), { maxLength: 40 });
const value = fc.jsonValue({ maxDepth: 3 });
const strings = fc.string({ unit: "binary", maxLength: 8 });

describe("lines", () => {
  test("are what newlines part, in any chunks", () =>
    holds(fc.tuple(fc.array(strings, { maxLength: 6 }), sizes), async ([parts, sizes]) => {
      const text = parts.join("\n").toWellFormed();
      expect(await read(linesOf(chunked(bytesOf(text), sizes)))).toEqual(text.split("\n").map(decoded));
    }));

  test("over the limit are told, and cost no other line", () =>
    holds(sizes, async (sizes) => {
      const lines = linesOf(chunked(bytesOf(`one\n${"x".repeat(50)}\nthree`), sizes), 10);
      expect(await read(lines)).toEqual(["one", "(line 2: over 10 bytes)", "three"]);
    }));

  test("are numbered from 1", async () => {
    const places = await Array.fromAsync(linesOf(chunked(bytesOf("a\n\nb"), [])), ({ place }) => place);
    expect(places).toEqual(["line 1", "line 2", "line 3"]);
  });
});

describe("items", () => {
  test("are the members of a list, in any chunks, however it is written", () =>
    holds(
      fc.tuple(fc.array(value, { minLength: 1, maxLength: 5 }), sizes, fc.constantFrom(0, 2)),
      async ([values, sizes, indent]) => {
        const items = await read(itemsOf(chunked(bytesOf(` ${JSON.stringify(values, null, indent)}\n`), sizes)));
        expect(items.slice(0, values.length).map((item) => JSON.parse(item))).toEqual(
          JSON.parse(JSON.stringify(values)),
        );
        expect(items.slice(values.length).join("").trim()).toBe("");
      },
    ));

  test("of a list that is cut off anywhere are never taken for whole", () =>
    holds(
      fc.tuple(fc.array(value, { minLength: 1, maxLength: 4 }), fc.double({ min: 0, max: 1, noNaN: true })),
      async ([values, share]) => {
        const text = JSON.stringify(values);
        const cut = text.slice(0, Math.floor(share * (text.length - 1)));
        const [last = ""] = (await read(itemsOf(chunked(bytesOf(cut), [])))).slice(-1);
        if (cut.length > 0) expect(last).toMatch(/^\(item \d+: the end of the file\)$/);
      },
    ));

  test("begin after what comes before the list, which makes the first one no JSON unless it is blank", () =>
    holds(sizes, async (sizes) => {
      expect(await read(itemsOf(chunked(bytesOf("list = [1,2]"), sizes)))).toEqual(["list = 1", "2", ""]);
    }));

  test("over the limit are told, and cost no other item", async () => {
    const items = itemsOf(chunked(bytesOf(`[1,"${"x".repeat(50)}",3]`), [3, 20]), 10);
    expect(await read(items)).toEqual(["1", "(item 2: over 10 bytes)", "3", ""]);
  });
});

/** What a decoder makes of a text's own bytes: a byte order mark goes. */
const decoded = (text: string): string => new TextDecoder().decode(bytesOf(text));
