import { describe, test } from "bun:test";
import assert from "node:assert/strict";
import { type Page, type Part, report, toHtml } from "../../src/pictures/index.ts";
import { needlesOf, pictures, result, summariesOf } from "./samples.ts";

const headings = ({ parts }: Page) => parts.flatMap((part) => ("heading" in part ? part.heading : []));
const tables = ({ parts }: Page) => parts.flatMap((part: Part) => ("columns" in part ? [part] : []));
const titles = ({ parts }: Page) => parts.flatMap((part) => ("spec" in part ? part.title : []));
const textOf = ({ parts }: Page) => parts.flatMap((part) => ("text" in part ? part.text : [])).join("\n");

describe("a report", () => {
  test("of an empty store says so, and no more", async () => {
    const page = report({ results: [], summaries: [] });
    assert.deepEqual(page.parts, [{ text: "There are no results: nothing has been measured yet." }]);
    assert.match(await toHtml(page), /nothing has been measured yet/);
  });

  test("of one answer has its numbers, what made it, and no sections without content", () => {
    const [summary] = summariesOf([], 0);
    const page = report({ results: [result()], summaries: summary === undefined ? [] : [summary] });
    assert.deepEqual(headings(page), ["Results", "Accuracy", "Configuration"]);
    assert.equal(textOf(page), "1 answer to 1 example of needle, by 1 method at 1 budget.");
    const [headline, runs, asked] = tables(page);
    assert.deepEqual(headline?.rows, [["needle", "full", "all", "0.970", "0.870 to 1.000", "1000.0", "8.79", "33"]]);
    assert.deepEqual(runs?.rows, [["owner/name", "abc", "sha256:0123", "onnx", "fp32", "2", "pyramidkv 0.1.0"]]);
    assert.deepEqual(asked?.rows, [
      ["task", "needle", '{"lengths":[500]}', "1"],
      ["method", "snapkv", '{"window":8}', ""],
    ]);
  });

  test("has a section for each thing that it is given", () => {
    const page = report({
      title: "Night of the sweeps",
      results: [
        result(),
        result({ method: "h2o", recall: [0.5, 1] }),
        result({ recall: [0.25, 0.75] }),
        result({ recall: [0.75, 0.25] }),
      ],
      summaries: summariesOf(["snapkv", "h2o"], 0.5),
      needles: needlesOf(["snapkv"], 0.5),
      pictures: [pictures(["x"]).funnel ?? assert.fail()],
      commands: ["pyramidkv sweep --seed 1"],
    });
    assert.deepEqual(headings(page), [
      "Results",
      "Accuracy",
      "By length and depth",
      "Attention recall",
      "Pictures",
      "Configuration",
      "To reproduce",
    ]);
    assert.deepEqual(titles(page), [
      "needle: accuracy against budget",
      "needle: score by place",
      "needle: attention recall at budget 64",
      "Where attention falls, layer by layer",
    ]);
    assert.deepEqual(
      tables(page).map(({ rows }) => rows.length),
      [5, 1, 3],
      "equal settings are listed once",
    );
    assert.deepEqual(page.parts.at(-1), { lines: ["pyramidkv sweep --seed 1"] });
    const recall = page.parts.find((part) => "spec" in part && part.title.includes("recall"));
    assert.ok(recall !== undefined && "spec" in recall);
    assert.deepEqual(recall.data.rows, [
      { method: "h2o", layer: 0, recall: 0.5 },
      { method: "h2o", layer: 1, recall: 1 },
      { method: "snapkv", layer: 0, recall: 0.5 },
      { method: "snapkv", layer: 1, recall: 0.5 },
    ]);
  });

  test("of hundreds of groups holds them all, and of several tasks a picture for each", async () => {
    const summaries = ["a", "b", "c"].flatMap((task) =>
      summariesOf(
        Array.from({ length: 60 }, (_, i) => `method ${i}`),
        0.9,
      ).map((one) => ({ ...one, group: { ...one.group, task } })),
    );
    const page = report({ results: [result()], summaries });
    assert.equal(tables(page)[0]?.rows.length, 3 * 121);
    assert.equal(titles(page).length, 3);
    assert.match(await toHtml(page), /method 59/);
  });

  test("says of a small sample that it is one", () => {
    const [summary] = summariesOf([], 0);
    const summaries = summary === undefined ? [] : [summary, { ...summary, count: 4, small: true }];
    const page = report({ results: [result()], summaries });
    assert.deepEqual(
      tables(page)[0]?.rows.map((row) => row.at(-1)),
      ["33", "4, few"],
    );
  });

  test("gives a group without a mean a place in the table", () => {
    const [summary] = summariesOf([], 0).map((one) => ({
      ...one,
      mean: Number.NaN,
      low: Number.NaN,
      high: Number.NaN,
    }));
    const page = report({ results: [result()], summaries: summary === undefined ? [] : [summary] });
    assert.deepEqual(tables(page)[0]?.rows[0]?.slice(3, 5), ["none", "none"]);
  });
});
