import { describe, test } from "bun:test";
import assert from "node:assert/strict";
import fc from "fast-check";
import { z } from "zod";
import { textWidth } from "../../src/pictures/font.ts";
import { accuracyCurves, toPng, toSvg } from "../../src/pictures/index.ts";
import { goldenJson } from "../support/golden.ts";
import { holds } from "../support/seed.ts";
import { summariesOf } from "./samples.ts";

const Widths = z.array(z.object({ text: z.string(), weight: z.enum(["normal", "bold"]), ems: z.number() }));
const letters = fc.string({ unit: fc.constantFrom(..."abc WMil.,0189é→") });

describe("the width of a text", () => {
  test("is the sum of its letters' advances in the font's tables", () => {
    for (const { text, weight, ems } of Widths.parse(goldenJson("pictures/widths.json"))) {
      assert.ok(Math.abs(textWidth(text, 10, weight) - 10 * ems) < 0.05, `${weight} ${text}`);
    }
  });

  test("adds up, and grows with the font", () =>
    holds(fc.record({ a: letters, b: letters, size: fc.integer({ min: 1, max: 40 }) }), ({ a, b, size }) => {
      const close = (x: number, y: number) => assert.ok(Math.abs(x - y) < 1e-6);
      close(textWidth(a + b, size), textWidth(a, size) + textWidth(b, size));
      close(textWidth(a, 2 * size), 2 * textWidth(a, size));
    }));

  test("decides the layout: a picture is as much wider as its longest label", async () => {
    const [i, w] = await Promise.all(["iiiiiiiiii", "wwwwwwwwww"].map((name) => widthOf(name)));
    const difference = textWidth("wwwwwwwwww", 12) - textWidth("iiiiiiiiii", 12);
    assert.ok(difference > 40 && Math.abs((w ?? 0) - (i ?? 0) - difference) <= 1.5);
  });

  test("is cut at the legend's limit, with an ellipsis", async () => {
    const svg = await toSvg(accuracyCurves(summariesOf(["w".repeat(500)], 0.5)));
    const label = /<text[^>]*>(w+…)<\/text>/.exec(svg)?.[1] ?? assert.fail();
    assert.ok(textWidth(label, 12) <= 260 && textWidth(label, 12) > 245);
    assert.equal(await widthOf("w".repeat(500)), await widthOf("w".repeat(5000)));
  });
});

const widthOf = async (name: string): Promise<number> =>
  Number(/width="(\d+)"/.exec(await toSvg(accuracyCurves(summariesOf([name], 0.5))))?.[1]);

describe("a PNG", () => {
  const picture = accuracyCurves(summariesOf(["snapkv"], 0.5));
  const size = (png: Uint8Array) => {
    const view = new DataView(png.buffer, png.byteOffset);
    return [view.getUint32(16), view.getUint32(20)];
  };

  test("is the SVG, so many times as large, and the same each time", async () => {
    const svg = await toSvg(picture);
    const [width = 0, height = 0] = ["width", "height"].map((side) =>
      Number(new RegExp(`${side}="(\\d+)"`).exec(svg)?.[1]),
    );
    for (const scale of [0.5, 1, 3]) {
      const png = await toPng(picture, { scale });
      assert.deepEqual([...png.subarray(0, 8)], [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
      const [wide = 0, high = 0] = size(png);
      assert.ok(Math.abs(wide - width * scale) <= 1 && Math.abs(high - height * scale) <= 1);
      assert.ok(Buffer.from(png).equals(await toPng(picture, { scale })));
    }
    assert.deepEqual(size(await toPng(picture)), size(await toPng(picture, { scale: 2 })));
  });

  test("has its text drawn: another word is another picture", async () => {
    const [a, b] = await Promise.all(
      ["mine", "nime"].map((title) => toPng(accuracyCurves(summariesOf(["x"], 0.5), { title }))),
    );
    assert.ok(!Buffer.from(a ?? assert.fail()).equals(b ?? assert.fail()));
  });

  test("is refused at scales that are none", async () => {
    for (const scale of [0, -1, 9, Number.NaN, Number.POSITIVE_INFINITY]) {
      await assert.rejects(toPng(picture, { scale }), {
        name: "KvError",
        code: "invalid_option",
        path: ["toPng", "scale"],
      });
    }
  });
});
