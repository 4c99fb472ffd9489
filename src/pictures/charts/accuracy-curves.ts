import type { Summary } from "../../evaluate/index.ts";
import { type Picture, picture } from "../picture.ts";
import { distinct, drawable, facet, leftOut, methodEncodings, nothing, sampleSize } from "./rows.ts";

export interface AccuracyOptions {
  /** Default "Accuracy against budget". */
  readonly title?: string | undefined;
}

/**
 * Mean score against entries kept, a line per method with its confidence band. What kept everything (budget "all") is a dashed
 * level across the picture.
 *
 * @param summaries of one task, one for each method and budget
 */
export function accuracyCurves(
  summaries: readonly Summary[],
  { title = "Accuracy against budget" }: AccuracyOptions = {},
): Picture {
  const drawn = summaries.filter((summary) => drawable(summary) && summary.kept > 0);
  if (drawn.length === 0) return nothing(title, "There is no method with a mean score and with entries kept.");
  const curves = drawn.filter((summary) => !isLevel(summary));
  const kept = distinct((curves.length === 0 ? drawn : curves).map((summary) => summary.kept));
  const ends = [Math.min(...kept), Math.max(...kept)];
  const rows = drawn.flatMap((summary) => (isLevel(summary) ? ends : [summary.kept]).map((x) => row(summary, x)));
  const methods = distinct(rows.map(({ method }) => method));
  const levels = new Set(drawn.filter(isLevel).map((summary) => facet(summary, "method")));
  const { colour, dash, shape } = methodEncodings(methods);
  const isLevelAt = (i: number) => levels.has(methods[i] ?? "");
  const dashes = { ...dash, scale: { range: dash.scale.range.map((own, i) => (isLevelAt(i) ? [5, 4] : own)) } };
  const shapes = { ...shape, scale: { range: shape.scale.range.map((own, i) => (isLevelAt(i) ? "stroke" : own)) } };
  return picture({
    title,
    subtitle: `Mean score with its confidence interval, ${sampleSize(drawn)}.${leftOut(summaries.length - drawn.length)}`,
    alt: `Lines of mean score against entries kept per KV head, for ${methods.join(", ")}.`,
    data: { rows },
    spec: {
      data: { name: "rows" },
      width: 560,
      height: 340,
      encoding: {
        x: {
          field: "kept",
          type: "quantitative",
          title: "entries kept per KV head, on average (log scale)",
          scale: { type: "log", domain: [(ends[0] ?? 1) * 0.92, (ends[1] ?? 1) * 1.08], nice: false },
          axis: { values: kept.toSorted((a, b) => a - b), format: ",.0f", labelOverlap: "greedy", labelSeparation: 6 },
        },
        color: colour,
      },
      layer: [
        {
          mark: { type: "area", opacity: 0.1 },
          encoding: { y: { field: "low", type: "quantitative" }, y2: { field: "high" } },
        },
        {
          mark: { type: "line", strokeWidth: 2 },
          encoding: {
            y: {
              field: "mean",
              type: "quantitative",
              title: "mean score",
              scale: { domain: [0, 1], clamp: true },
              axis: { format: ".1f", tickCount: 6 },
            },
            strokeDash: dashes,
          },
        },
        {
          mark: { type: "point", filled: true, size: 55 },
          encoding: {
            y: { field: "mean", type: "quantitative" },
            shape: shapes,
            opacity: { condition: { test: "datum.level", value: 0 }, value: 1 }, // a level has no points of its own
            tooltip: ["method", "budget", "kept", "mean", "low", "high", "examples"].map((field) => ({ field })),
          },
        },
      ],
    },
  });
}

/** Kept everything, so that it has no budget to stand at. */
const isLevel = (summary: Summary): boolean => facet(summary, "budget") === "all";

const row = (summary: Summary, kept: number) => ({
  method: facet(summary, "method"),
  budget: facet(summary, "budget"),
  level: isLevel(summary),
  kept,
  mean: summary.mean,
  low: summary.low,
  high: summary.high,
  examples: summary.count,
});
