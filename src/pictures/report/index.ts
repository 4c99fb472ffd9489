/**
 * A report of results as a page: the headline table, a curve per task, heatmaps where prompts have a length and a depth, recall per
 * layer where it was measured, and all that is needed to make the numbers again.
 */
import type { Result, Summary } from "../../evaluate/index.ts";
import { accuracyCurves } from "../charts/accuracy-curves.ts";
import { needleHeatmap } from "../charts/needle-heatmap.ts";
import { distinct, facet } from "../charts/rows.ts";
import type { Page, Part, Table } from "../page.ts";
import type { Specification } from "../specification.ts";
import { configuration } from "./configuration.ts";
import { recallPictures } from "./recall.ts";

export interface ReportInput {
  /** Default "Evaluation". */
  readonly title?: string | undefined;
  readonly results: readonly Result[];
  /** Of those results, by task, method and budget. */
  readonly summaries: readonly Summary[];
  /** By task, method, budget, length and depth, of tasks that have them. */
  readonly needles?: readonly Summary[] | undefined;
  /** Further pictures, such as funnels. */
  readonly pictures?: readonly Specification[] | undefined;
  /** The commands that make these results. */
  readonly commands?: readonly string[] | undefined;
}

/** The report's page; `toHtml` and `savePage` make a file of it. An empty store gives a page that says so. */
export function report({
  title = "Evaluation",
  results,
  summaries,
  needles = [],
  pictures = [],
  commands = [],
}: ReportInput): Page {
  const curves = byTask(summaries).map(([task, group]) =>
    accuracyCurves(group, { title: `${task}: accuracy against budget` }),
  );
  const heatmaps = byTask(needles).map(([task, group]) => needleHeatmap(group, { title: `${task}: score by place` }));
  const parts: Part[] = [
    { text: overview(results) },
    ...section("Results", summaries.length === 0 ? [] : [headline(summaries)]),
    ...section("Accuracy", curves),
    ...section("By length and depth", heatmaps),
    ...section("Attention recall", recallPictures(results)),
    ...section("Pictures", pictures),
    ...section("Configuration", configuration(results)),
    ...section("To reproduce", commands.length === 0 ? [] : [{ lines: commands }]),
  ];
  return { title, parts };
}

const section = (heading: string, parts: readonly Part[]): readonly Part[] =>
  parts.length === 0 ? [] : [{ heading }, ...parts];

const byTask = (summaries: readonly Summary[]) => [...Map.groupBy(summaries, (summary) => facet(summary, "task"))];

function overview(results: readonly Result[]): string {
  if (results.length === 0) return "There are no results: nothing has been measured yet.";
  const several = (count: number, what: string) => `${count} ${what}${count === 1 ? "" : "s"}`;
  const different = (what: string, of: (result: Result) => string) => several(distinct(results.map(of)).length, what);
  const examples = different("example", ({ task, seed, example }) => JSON.stringify([task, seed, example]));
  const tasks = distinct(results.map(({ task }) => task)).join(", ");
  const methods = different("method", ({ method }) => method);
  const budgets = different("budget", ({ budget }) => budget);
  return `${several(results.length, "answer")} to ${examples} of ${tasks}, by ${methods} at ${budgets}.`;
}

const MIB = 2 ** 20;

function headline(summaries: readonly Summary[]): Table {
  const number = (value: number, digits: number) => (Number.isFinite(value) ? value.toFixed(digits) : "none");
  return {
    columns: [
      { name: "task" },
      { name: "method" },
      { name: "budget", number: true },
      { name: "mean score", number: true },
      { name: "interval", number: true },
      { name: "entries per KV head", number: true },
      { name: "cache (MiB)", number: true },
      { name: "examples", number: true },
    ],
    rows: summaries.map((summary) => [
      facet(summary, "task"),
      facet(summary, "method"),
      facet(summary, "budget"),
      number(summary.mean, 3),
      Number.isFinite(summary.mean) ? `${number(summary.low, 3)} to ${number(summary.high, 3)}` : "none",
      number(summary.kept, 1),
      number(summary.bytes / MIB, 2),
      summary.small ? `${summary.count}, few` : String(summary.count),
    ]),
  };
}
