import type { Counts } from "../../allocation/schedule.ts";
import { type Picture, picture } from "../picture.ts";
import { distinct, LAYER_AXIS, methodEncodings, nothing } from "./rows.ts";

/** What one method keeps: a schedule's counts, or `lengths` of a cache. */
export interface MethodBudgets {
  readonly method: string;
  /** Entries, [layers][kvHeads]. */
  readonly entries: Counts;
}

export interface LayerBudgetsOptions {
  /** Default "Budget per layer". */
  readonly title?: string | undefined;
}

/** Entries per KV head and layer, a stepped line per method; where the heads of a layer differ, a band from least to most. */
export function layerBudgets(
  methods: readonly MethodBudgets[],
  { title = "Budget per layer" }: LayerBudgetsOptions = {},
): Picture {
  const rows = methods.flatMap(({ method, entries }, place) =>
    entries.flatMap((heads, layer) =>
      heads.length === 0
        ? []
        : [
            {
              method,
              layer,
              mean: heads.reduce((sum, count) => sum + count, 0) / heads.length,
              least: Math.min(...heads),
              most: Math.max(...heads),
              width: 2 + 3 * (1 - (place + 1) / methods.length), // of equal lines, the lower shows beside the upper
            },
          ],
    ),
  );
  if (rows.length === 0) return nothing(title, "There is no method with layers.");
  const names = distinct(rows.map(({ method }) => method));
  const { colour, dash } = methodEncodings(names);
  return picture({
    title,
    subtitle: "Mean over a layer's KV heads; bands reach from the head that keeps least to the one that keeps most.",
    alt: `Stepped lines of entries kept per KV head against layer, for ${names.join(", ")}.`,
    data: { rows },
    spec: {
      data: { name: "rows" },
      width: 560,
      height: 320,
      encoding: {
        x: LAYER_AXIS,
        color: { ...colour, legend: { symbolType: "stroke" } },
      },
      layer: [
        {
          mark: { type: "area", interpolate: "step", opacity: 0.18 },
          encoding: { y: { field: "least", type: "quantitative" }, y2: { field: "most" } },
        },
        {
          mark: { type: "line", interpolate: "step" },
          encoding: {
            y: { field: "mean", type: "quantitative", title: "entries per KV head" },
            strokeDash: dash,
            strokeWidth: { field: "width", type: "quantitative", scale: null, legend: null },
            tooltip: ["method", "layer", "mean", "least", "most"].map((field) => ({ field })),
          },
        },
      ],
    },
  });
}
