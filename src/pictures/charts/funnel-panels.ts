/** The three panels of a funnel's picture, which share their rows: layers. */
import { LABEL_SIZE, SHARES } from "./funnel-rows.ts";
import type { Layer } from "./rows.ts";

/** Far below an even spread, nought included, all is one colour. */
const FAINTEST = 0.03;

/** Layers as rows: the lowest at the bottom, as tall as there is room for. */
export function rowsOf(layers: number) {
  const sort = Array.from({ length: layers }, (_, i) => layers - 1 - i);
  const every = Math.ceil(layers / 16);
  const labelled = { values: sort.filter((layer) => layer % every === 0), ticks: false };
  const y = { field: "layer", type: "ordinal" as const, sort };
  return {
    step: Math.max(6, Math.min(14, Math.floor(480 / layers))),
    titled: { ...y, title: "layer", axis: labelled },
    bare: { ...y, title: null, axis: null },
  };
}

type Rows = ReturnType<typeof rowsOf>;

export const attentionLayers = (length: number, { step, titled }: Rows): Layer[] => [
  {
    data: { name: "attention" },
    mark: "rect",
    encoding: {
      x: {
        field: "from",
        type: "quantitative",
        title: "position in the prompt",
        scale: { domain: [0, length], nice: false },
        axis: { grid: false, format: ",d", tickMinStep: 1 },
      },
      x2: { field: "end" },
      y: titled,
      color: {
        field: "timesEven",
        type: "quantitative",
        title: ["times an", "even spread"],
        scale: { type: "log", domain: [FAINTEST, Math.max(1, length)], scheme: "viridis", clamp: true },
        legend: { orient: "left", gradientLength: 160, format: ",~g", tickCount: 5, offset: 12 },
      },
      tooltip: ["layer", "from", "to", "mass", "timesEven", "kept"].map((field) => ({ field })),
    },
  },
  {
    data: { name: "attention" },
    transform: [{ filter: "datum.kept > 0" }],
    mark: { type: "circle", color: "white", stroke: "black", strokeWidth: 0.4, opacity: 1 },
    encoding: {
      x: { field: "middle", type: "quantitative" },
      y: titled,
      size: { field: "kept", type: "quantitative", scale: { domain: [0, 1], range: [0, step * 1.7] }, legend: null },
    },
  },
  {
    data: { name: "boundaries" },
    mark: { type: "rule", color: "#d55e00", strokeWidth: 1.2 },
    encoding: {
      x: { field: "position", type: "quantitative" },
      tooltip: ["part", "position"].map((field) => ({ field })),
    },
  },
  {
    data: { name: "boundaries" },
    mark: {
      type: "text",
      align: "left",
      baseline: "bottom",
      dx: 2,
      fontSize: LABEL_SIZE,
      dy: { expr: "-4 - 14 * datum.row" },
      limit: { expr: "datum.room" },
    },
    encoding: { x: { field: "position", type: "quantitative" }, y: { value: 0 }, text: { field: "label" } },
  },
];

export const spreadPanel = (widest: number, { step, bare }: Rows) => ({
  data: { name: "spread" },
  encoding: {
    y: bare,
    x: {
      field: "tokens",
      type: "quantitative" as const,
      title: "effective tokens",
      scale: { domain: [0, 1.3 * widest] }, // the figures stand behind the bars
      axis: { tickCount: 4, format: ",d" },
    },
    tooltip: ["layer", "tokens"].map((field) => ({ field })),
  },
  layer: [{ mark: { type: "bar", color: "#0072b2" } }, ...(step < 9 ? [] : [FIGURES])] satisfies Layer[],
});

const FIGURES: Layer = {
  mark: { type: "text", align: "left", dx: 3, fontSize: 9 },
  encoding: { text: { field: "tokens", format: ",.0f" } },
};

export const sharePanel = ({ bare }: Rows) => ({
  data: { name: "shares" },
  mark: { type: "bar" as const },
  encoding: {
    y: bare,
    x: {
      field: "share",
      type: "quantitative" as const,
      title: "share of attention",
      scale: { domain: [0, 1] },
      axis: { format: ".0%", tickCount: 3 },
    },
    color: {
      field: "on",
      type: "nominal" as const,
      title: "on",
      scale: { domain: SHARES.map(({ on }) => on), range: SHARES.map(({ colour }) => colour) },
    },
    order: { field: "place" },
    tooltip: ["layer", "on", "share"].map((field) => ({ field })),
  },
});
