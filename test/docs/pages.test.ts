/** The committed pages are what the generator makes, and docstrings have what pages need. */
import { describe, test } from "bun:test";
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { comparison } from "../../recipes/docs/comparison.ts";
import { documented } from "../../recipes/docs/documented.ts";
import { readMeasured } from "../../recipes/docs/measured.ts";
import { page, SECTIONS, shownDefault } from "../../recipes/docs/page.ts";
import { pages } from "../../recipes/docs/pages.ts";
import { wrappers } from "../../recipes/docs/wrappers.ts";
import { loadHeads, measuredRegistry, mergeRegistry, policies, registry } from "../../src/index.ts";
import { faultOf } from "../support/fault.ts";
import { tinyModel } from "../support/tiny-model.ts";

const docs = fileURLToPath(new URL("../../docs/", import.meta.url));
const all = documented();
const measured = readMeasured();

test("the pages are those that `bun run docs` writes, and there are no others", () => {
  const made = pages(measured, all);
  for (const [path, content] of made) assert.equal(readFileSync(docs + path, "utf8"), content, path);
  const there = ["", ...new Set(all.map(({ folder }) => `${folder}/`))].flatMap((folder) =>
    readdirSync(docs + folder)
      .filter((name) => name.endsWith(".md"))
      .map((name) => folder + name),
  );
  assert.deepEqual(there.toSorted(), [...made.keys()].toSorted());
});

test("every registered method, policy and merge has a page", () => {
  const names = all.map(({ folder, doc }) => `${folder}/${doc.name}`);
  const expected = [
    ...Object.keys({ ...registry, ...measuredRegistry }).map((name) => `methods/${name}`),
    ...Object.keys(policies).map((name) => `decoding/${name}`),
    ...Object.keys(wrappers).map((name) => `wrappers/${name}`),
    ...Object.keys(mergeRegistry).map((name) => `merging/${name}`),
  ];
  assert.deepEqual(names, expected);
});

for (const { doc, defaults } of all) {
  describe(`the docstring of ${doc.exported}`, () => {
    test("has a sentence, every tag in one or two lines, and a link", () => {
      assert.match(doc.summary, /^[A-Z].+\.$/s);
      for (const [tag] of SECTIONS) {
        const text = doc.tags.get(tag) ?? "";
        assert.match(text, /\S.*\.$/s, `${doc.exported}: @${tag}`);
        assert.ok(text.split("\n").length <= 3, `${doc.exported}: @${tag} is long`);
      }
      assert.match(doc.tags.get("see") ?? "", /^https:\/\//);
    });

    test("explains every option, and says its default as it is", () => {
      for (const { name, required, meaning } of doc.options) {
        assert.match(meaning, /^[A-Z1`a-z].+\.$/, `${doc.exported}.${name}`);
        if (required || defaults[name] === undefined) continue;
        const shown = shownDefault(defaults[name]);
        assert.match(
          meaning,
          new RegExp(`default ${RegExp.escape(shown)}(?![\\w.]*\\w)`, "i"),
          `${doc.exported}.${name}: ${shown}`,
        );
      }
    });
  });
}

describe("what was measured", () => {
  const rows = [
    { method: "full", budget: "all", task: "needle 500", n: 9, mean: 0.625, low: 0.5, high: 1 },
    { method: "snapkv", budget: "64", task: "needle 500", n: 9, mean: 0.5, low: 0.25, high: 0.75 },
    { method: "h2o", budget: "64", task: "needle 500", n: 9, mean: 0.625, low: 0.5, high: 0.875 },
  ];
  const file = { ...measured, rows };

  test("stands in one table, the best contender bold, full attention first and in every column", () => {
    const lines = comparison(file)
      .split("\n")
      .filter((line) => line.startsWith("| "));
    assert.deepEqual(lines, [
      "| method | needle 500, 64 |",
      "| full | 0.63 (0.50-1.00) |",
      "| [snapkv](methods/snapkv.md) | 0.50 (0.25-0.75) |",
      "| [h2o](methods/h2o.md) | **0.63** (0.50-0.88) |",
    ]);
  });

  test("stands on the page of its method, by budget and task", () => {
    const one = all.find(({ doc }) => doc.name === "h2o") ?? assert.fail("no h2o");
    const text = page({ ...one, measured: file });
    assert.match(text, /\| budget \| needle 500 \(n = 9\) \|\n\|---\|---\|\n\| 64 \| 0\.63 \(0\.50-0\.88\) \|\n/);
    assert.ok(!page({ ...one, measured: { ...file, rows: [] } }).includes("## Measured"));
  });

  test("links to pages that are there", () => {
    for (const [, link = ""] of comparison(measured).matchAll(/\]\((methods\/[^)]+)\)/g))
      assert.ok(existsSync(docs + link));
  });

  test("on the default model's heads is refused by others", async () => {
    using model = await tinyModel();
    const path = `${docs}measurements/smollm2-135m/heads.safetensors`;
    assert.equal((await faultOf(() => loadHeads(model, path))).code, "wrong_model");
  });
});
