import { describe, test } from "bun:test";
import assert from "node:assert/strict";
import { Resvg } from "@resvg/resvg-js";
import { Ajv } from "ajv";
import fc from "fast-check";
import { parse, View } from "vega";
import { compile } from "vega-lite";
import schema from "vega-lite/vega-lite-schema.json" with { type: "json" };
import { boundaryRows } from "../../src/pictures/charts/funnel-rows.ts";
import { methodStyles } from "../../src/pictures/colours.ts";
import { textWidth } from "../../src/pictures/font.ts";
import {
  accuracyCurves,
  costCurves,
  funnelHeatmap,
  layerBudgets,
  needleHeatmap,
  type Picture,
  recallByLayer,
  toSvg,
  vegaLite,
} from "../../src/pictures/index.ts";
import { holds } from "../support/seed.ts";
import { funnelOf, needlesOf, pictures, summariesOf, summary } from "./samples.ts";

const NAMES = ["snapkv", "pyramidkv", "my own method"];
const kinds = Object.entries(pictures(NAMES));

/** What Vega and Vega-Lite complain of, on the console, while a picture is drawn. */
async function drawn(picture: Picture): Promise<{ svg: string; complaints: readonly unknown[] }> {
  const { warn, error } = console;
  const complaints: unknown[] = [];
  console.warn = console.error = (...words) => complaints.push(words);
  try {
    return { svg: await toSvg(picture), complaints };
  } finally {
    Object.assign(console, { warn, error });
  }
}

/** Texts of an SVG as a reader sees them. */
const texts = (svg: string): readonly string[] =>
  [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text = ""]) =>
    text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&quot;", '"').replaceAll("&amp;", "&"),
  );

const valid = new Ajv({ strict: false, validateFormats: false }).compile(schema);

describe("a picture", () => {
  for (const [kind, picture] of kinds) {
    test(`${kind}: is Vega-Lite by its schema, its data apart`, async () => {
      const specification: unknown = JSON.parse(JSON.stringify(vegaLite(picture)));
      assert.ok(valid(specification), JSON.stringify(valid.errors?.slice(0, 3)));
      assert.ok(!JSON.stringify(picture.spec).includes('"values":[{'));
      assert.ok(picture.alt.length > 20 && picture.title.length > 5);
    });

    test(`${kind}: is well-formed SVG, without a warning, the same each time`, async () => {
      const { svg, complaints } = await drawn(picture);
      assert.deepEqual(complaints, []);
      assert.ok(new Resvg(svg).width > 100);
      assert.ok((await toSvg(picture)) === svg);
      assert.ok(texts(svg).includes(picture.title));
    });
  }

  test("says the names that its data has, and the numbers that it draws as text", async () => {
    for (const kind of ["accuracy", "layers", "recall", "costs"] as const) {
      const drawn = texts(await toSvg(pictures(NAMES)[kind] ?? assert.fail()));
      for (const name of NAMES) assert.ok(drawn.includes(name), `${kind}: ${name}`);
    }
    const heatmap = texts(await toSvg(pictures(NAMES, 0.37).needle ?? assert.fail()));
    assert.equal(heatmap.filter((text) => text === "37").length, NAMES.length * 2 * 3);
    for (const name of NAMES) assert.ok(heatmap.includes(`${name}, 64: 37 %`));
    const funnel = texts(await toSvg(pictures(NAMES).funnel ?? assert.fail()));
    for (const text of [...NAMES, "60", "30", "20", "effective tokens"]) assert.ok(funnel.includes(text), text);
  });

  test("draws full attention as a level across, whatever it kept", async () => {
    const rows = pictures(NAMES).accuracy?.data.rows ?? [];
    const level = rows.filter(({ method }) => method === "full");
    assert.deepEqual(
      level.map(({ kept, mean }) => [kept, mean]),
      [
        [64, 0.97],
        [128, 0.97],
      ],
    );
  });
});

const HOSTILE = [
  "</script><script>alert(1)</script>",
  '"quoted" & <b>bold</b>',
  "]]>",
  "<!-- ",
  "__proto__",
  "constructor",
  "",
  " ",
  "a\nb",
  "\u0000\u0008",
  "\ud800",
  "日本語 العربية 👩‍🚀",
  "x".repeat(5000),
  "datum.method",
  '{"signal": "width"}',
  "a[0].b\\'c",
];
const numbers = fc.oneof(
  fc.double({ min: 0, max: 1, noNaN: true }),
  fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -1, 0, 1e300),
);

/** Markup alone: no texts, no values of attributes that hold some. */
const markup = (svg: string) => svg.replace(/>[^<]*</g, "><").replace(/aria-label="[^"]*"/g, "");

async function assertHarmless(names: readonly string[], value: number): Promise<void> {
  for (const [kind, picture] of Object.entries(pictures(names, value))) {
    const { svg, complaints } = await drawn(picture);
    assert.deepEqual(complaints, [], kind);
    assert.ok(new Resvg(svg).width > 0, kind);
    const elements = new Set([...markup(svg).matchAll(/<([a-zA-Z]+)/g)].map(([, name = ""]) => name));
    const known = new Set(["svg", "rect", "g", "path", "line", "text", "tspan", "defs", "linearGradient", "stop"]);
    assert.deepEqual([...elements.difference(known)], [], kind);
    assert.ok(!/NaN|Infinity|undefined| on[a-z]+=/.test(markup(svg)), kind);
  }
}

describe("a picture of anything", () => {
  test("is well-formed, warns of nothing, and holds no element but Vega's own", async () => {
    for (let i = 0; i < HOSTILE.length; i += 4) await assertHarmless(HOSTILE.slice(i, i + 4), 0.5);
    await holds(
      fc.record({ names: fc.uniqueArray(fc.string({ unit: "binary" }), { maxLength: 3 }), value: numbers }),
      ({ names, value }) => assertHarmless(names, value),
      10,
    );
  });

  test("of nothing says so", async () => {
    const empty = {
      accuracy: accuracyCurves([]),
      needle: needleHeatmap(summariesOf(NAMES, 0.5)),
      layers: layerBudgets([{ method: "none", entries: [] }]),
      recall: recallByLayer([]),
      costs: costCurves([]),
      funnel: funnelHeatmap({ ...funnelOf([]), layers: [] }),
    };
    for (const [kind, picture] of Object.entries(empty)) {
      const { svg, complaints } = await drawn(picture);
      assert.deepEqual(complaints, [], kind);
      assert.deepEqual(texts(svg), [picture.alt, picture.title], kind);
    }
  });

  test("of one point has a place for it", async () => {
    const one = {
      accuracy: accuracyCurves([summary({ method: "snapkv", budget: "64" }, 0.5, 64)]),
      level: accuracyCurves([summary({ method: "full", budget: "all" }, 0.5, 64)]),
      needle: needleHeatmap(needlesOf(["snapkv"], 0.5).slice(0, 1)),
      layers: layerBudgets([{ method: "snapkv", entries: [[8]] }]),
      recall: recallByLayer([{ method: "snapkv", recall: [0.5] }]),
      costs: costCurves([{ method: "snapkv", context: 512, bytes: 1, tokensPerSecond: 20 }]),
      funnel: funnelHeatmap(funnelOf(["only"], 1, 2)),
    };
    for (const [kind, picture] of Object.entries(one)) {
      const { svg, complaints } = await drawn(picture);
      assert.deepEqual(complaints, [], kind);
      assert.ok(!/NaN|Infinity/.test(svg), kind);
    }
  });

  test("leaves out what has no number, and says how much", () => {
    const { accuracy, recall, costs, needle } = pictures(NAMES, Number.NaN);
    assert.match(accuracy?.subtitle ?? "", /Left out for want of a number: 6\./);
    assert.match(recall?.subtitle ?? "", /Left out for want of a number: 3\./);
    for (const picture of [costs, needle]) assert.match(picture?.alt ?? "", /^No /);
    const none = [summary({ method: "snapkv", budget: "64" }, 0.5, 0)]; // which a log scale cannot show
    assert.match(accuracyCurves(none).alt, /no method/);
    assert.match(costCurves([{ method: "full", context: 0, bytes: 1, tokensPerSecond: 1 }]).alt, /^No /);
  });

  test("shows attention that is nought as the faintest there is", async () => {
    const { layers, ...funnel } = funnelOf([]);
    const nought = layers.map((layer) => ({ ...layer, mass: layer.mass.map((_, bin) => (bin === 0 ? 1 : 0)) }));
    const { svg, complaints } = await drawn(funnelHeatmap({ ...funnel, layers: nought }));
    assert.deepEqual(complaints, []);
    assert.equal(svg.match(/fill="rgb\(68, 1, 84\)"/g)?.length, 3 * 29);
  });
});

test("labels of documents do not overlap, and those that have no room are left out", () =>
  holds(
    fc.record({
      labels: fc.array(fc.string({ minLength: 1, maxLength: 60, size: "max" }), { maxLength: 30, size: "max" }),
      length: fc.integer({ min: 60, max: 300 }),
    }),
    ({ labels, length }) => {
      const even = 2 * length;
      const rows = boundaryRows(funnelOf(labels, 1, even)).filter(({ label }) => label !== "");
      if (labels.length > 0) assert.equal(rows[0]?.label, labels[0]);
      for (const row of [0, 1]) {
        const placed = rows
          .filter((one) => one.row === row)
          .map(({ position, label, room }) => {
            const x = (position / even) * 640;
            return [x, x + Math.min(room, textWidth(label, 11))] as const;
          });
        for (const [i, [start]] of placed.entries()) assert.ok(i === 0 || start > (placed[i - 1]?.[1] ?? 0));
      }
    },
  ));

test("methods have their own colour in every picture, whatever stands beside them", () =>
  holds(
    fc.uniqueArray(fc.constantFrom("full", "snapkv", "pyramidkv", "h2o", "mine", "yours", "toString"), {
      minLength: 1,
    }),
    async (names) => {
      const { accuracy, ...others } = pictures(names);
      const levelled = [...new Set(["full", ...names])];
      for (const [picture, methods] of [
        [accuracy, levelled],
        ...["layers", "recall"].map((kind) => [others[kind], names] as const),
      ] as const) {
        const view = await new View(parse(compile(vegaLite(picture ?? assert.fail())).spec), {
          renderer: "none",
        }).runAsync();
        const colours = methods.map((method) => String(view.scale("color")(method)));
        assert.deepEqual(
          colours,
          methodStyles(methods).map(({ colour }) => colour),
        );
        view.finalize();
      }
    },
    15,
  ));
