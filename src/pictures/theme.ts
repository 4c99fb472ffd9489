/** How every picture looks: one font, quiet axes. */
import type { TopLevelSpec } from "vega-lite";

/** Arimo is as wide as Arial, letter by letter: pages that have only the latter look the same. */
export const FONT = "Arimo, Arial, Helvetica, sans-serif";

const INK = "#222222";
const QUIET = "#6b6b6b";

export const theme: NonNullable<TopLevelSpec["config"]> = {
  font: FONT,
  padding: 12,
  view: { stroke: "#cccccc" },
  title: {
    anchor: "start",
    frame: "group",
    fontSize: 15,
    subtitleFontSize: 12,
    color: INK,
    subtitleColor: QUIET,
    offset: 12,
    limit: 900,
  },
  axis: {
    labelFontSize: 11,
    titleFontSize: 12,
    titleFontWeight: "normal",
    labelColor: INK,
    titleColor: INK,
    gridColor: "#e6e6e6",
    domainColor: QUIET,
    tickColor: QUIET,
    titlePadding: 8,
  },
  header: { labelFontSize: 12, titleFontSize: 12, labelColor: INK, titleColor: INK, labelLimit: 400 },
  legend: {
    labelFontSize: 12,
    titleFontSize: 12,
    titleFontWeight: "normal",
    labelColor: INK,
    titleColor: INK,
    labelLimit: 260,
    symbolSize: 80,
    symbolOpacity: 1,
    symbolStrokeWidth: 2,
  },
};
