/**
 * Pictures of what methods keep and cost: functions from data to Vega-Lite specifications, drawn as SVG, PNG and self-contained
 * HTML without a browser. What is drawn says its units, and methods keep their colours from picture to picture.
 */
export * from "../funnel/index.ts";
export { type AccuracyOptions, accuracyCurves } from "./charts/accuracy-curves.ts";
export { type Cost, type CostOptions, costCurves } from "./charts/cost-curves.ts";
export { type FunnelHeatmapOptions, funnelHeatmap } from "./charts/funnel-heatmap.ts";
export { type LayerBudgetsOptions, layerBudgets, type MethodBudgets } from "./charts/layer-budgets.ts";
export { type NeedleOptions, needleHeatmap } from "./charts/needle-heatmap.ts";
export { type MethodRecall, type RecallOptions, recallByLayer } from "./charts/recall-by-layer.ts";
export { toHtml } from "./html.ts";
export type { Column, Heading, Listing, Page, Paragraph, Part, Table } from "./page.ts";
export { type Picture, picture } from "./picture.ts";
export { type PngOptions, toPng } from "./png.ts";
export { type ReportInput, report } from "./report/index.ts";
export { checkPicturePath, save, savePage } from "./save.ts";
export { type Data, type Row, type Specification, vegaLite } from "./specification.ts";
export { toSvg } from "./svg.ts";
