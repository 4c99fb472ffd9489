import type { Funnel } from "../../funnel/index.ts";
import { type Picture, picture } from "../picture.ts";
import { nothing } from "./rows.ts";

export interface FunnelHeatmapOptions {
  /** Default "Where attention falls, layer by layer". */
  readonly title?: string | undefined;
  /** What a cache kept, from `retained(cache, funnel.edges)`: drawn as dots, larger where more heads keep more of a bin. */
  readonly retained?: readonly (readonly number[])[] | undefined;
  /** What kept that, for the subtitle: "pyramidkv, 128 entries". */
  readonly keptBy?: string | undefined;
}

/** Far below what an even spread gives each token, all is one colour. */
const FAINTEST = 0.03;
const WIDTH = 640;
/** Pixels that the last label may reach beyond, over the panel beside it. */
const OVERHANG = 120;
/** Pixels of a letter, about. */
const LETTER = 6;

/**
 * The attention of a prompt's last tokens: layers, lowest at the bottom, by positions, as a multiple of what an even spread would give
 * each token, on a log scale. Beside it, per layer, how many tokens it is spread over and how it is shared out.
 *
 * Bin long prompts first: `funnel(context, { bins: 160 })`.
 */
export function funnelHeatmap(
  funnel: Funnel,
  { title = "Where attention falls, layer by layer", retained, keptBy }: FunnelHeatmapOptions = {},
): Picture {
  if (funnel.layers.length === 0) return nothing(title, "The model has no layers.");
  const order = funnel.layers.map((_, layer) => layer).toReversed();
  const step = Math.max(6, Math.min(14, Math.floor(480 / order.length)));
  const every = Math.ceil(order.length / 16);
  const y = (titled: string | null) => ({
    field: "layer",
    type: "ordinal" as const,
    sort: order,
    title: titled,
    axis: titled === null ? null : { values: order.filter((layer) => layer % every === 0), ticks: false },
  });
  const x = {
    field: "from",
    type: "quantitative" as const,
    title: "position in the prompt",
    scale: { domain: [0, funnel.length], nice: false },
    axis: { grid: false, format: ",d" },
  };
  const dots = retained === undefined ? "" : ` Dots: kept${keptBy === undefined ? "" : ` by ${keptBy}`}.`;
  return picture({
    title,
    subtitle: `The last ${funnel.window} of ${funnel.length} tokens, mean over query heads.${dots}`,
    alt: altOf(funnel),
    data: {
      attention: attentionRows(funnel, retained),
      boundaries: boundaryRows(funnel),
      spread: funnel.layers.map(({ effectiveTokens }, layer) => ({ layer, tokens: effectiveTokens })),
      shares: shareRows(funnel),
    },
    spec: {
      hconcat: [
        {
          width: WIDTH,
          height: { step },
          layer: [
            {
              data: { name: "attention" },
              mark: "rect",
              encoding: {
                x,
                x2: { field: "end" },
                y: y("layer"),
                color: {
                  field: "drawn",
                  type: "quantitative",
                  title: ["times an", "even spread"],
                  scale: { type: "log", domain: [FAINTEST, funnel.length], scheme: "viridis", clamp: true },
                  legend: { orient: "left", gradientLength: 160, format: "~g", tickCount: 5, offset: 12 },
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
                y: y("layer"),
                size: {
                  field: "kept",
                  type: "quantitative",
                  scale: { domain: [0, 1], range: [0, step * 1.7] },
                  legend: null,
                },
              },
            },
            {
              data: { name: "boundaries" },
              mark: { type: "rule", color: "#d55e00", strokeWidth: 1.2 },
              encoding: { x: { field: "position", type: "quantitative" } },
            },
            {
              data: { name: "boundaries" },
              mark: {
                type: "text",
                align: "left",
                baseline: "bottom",
                dx: 2,
                dy: { expr: "-4 - 14 * datum.row" },
                fontSize: 11,
                limit: { expr: "datum.room" },
              },
              encoding: { x: { field: "position", type: "quantitative" }, y: { value: 0 }, text: { field: "label" } },
            },
          ],
        },
        {
          data: { name: "spread" },
          width: 120,
          height: { step },
          encoding: {
            y: y(null),
            x: {
              field: "tokens",
              type: "quantitative",
              title: "effective tokens",
              scale: { domain: [0, 1.3 * Math.max(...funnel.layers.map(({ effectiveTokens }) => effectiveTokens))] },
              axis: { tickCount: 4, format: ",d" },
            },
            tooltip: [{ field: "layer" }, { field: "tokens", format: ".1f" }],
          },
          layer: [
            { mark: { type: "bar", color: "#0072b2" } },
            {
              mark: { type: "text", align: "left", dx: 3, fontSize: Math.min(10, step) },
              encoding: { text: { field: "tokens", format: ",.0f" } },
            },
          ],
        },
        {
          data: { name: "shares" },
          width: 120,
          height: { step },
          mark: { type: "bar" },
          encoding: {
            y: y(null),
            x: {
              field: "share",
              type: "quantitative",
              title: "share of attention",
              scale: { domain: [0, 1] },
              axis: { format: ".0%", tickCount: 3 },
            },
            color: {
              field: "on",
              type: "nominal",
              title: "on",
              scale: { domain: SHARES.map(({ on }) => on), range: SHARES.map(({ colour }) => colour) },
            },
            order: { field: "place" },
            tooltip: [{ field: "layer" }, { field: "on" }, { field: "share", format: ".1%" }],
          },
        },
      ],
      bounds: "flush",
      spacing: 20,
      resolve: { scale: { color: "independent" } },
    },
  });
}

const SHARES = [
  { on: "the first 4 tokens", colour: "#d55e00" },
  { on: "the rest", colour: "#cfcfcf" },
  { on: "the window itself", colour: "#56b4e9" },
] as const;

const shareRows = ({ layers }: Funnel) =>
  layers.flatMap(({ sinks, window }, layer) =>
    [sinks, Math.max(0, 1 - sinks - window), window].map((share, place) => ({
      layer,
      share,
      place,
      on: SHARES[place]?.on ?? "",
    })),
  );

const attentionRows = ({ layers, edges, length }: Funnel, retained: FunnelHeatmapOptions["retained"]) =>
  layers.flatMap(({ mass }, layer) =>
    mass.map((share, bin) => {
      const [from, to] = [edges[bin] ?? 0, edges[bin + 1] ?? 0];
      const timesEven = (share / (to - from)) * length;
      const kept = retained?.[layer]?.[bin] ?? 0;
      const drawn = Math.max(timesEven, FAINTEST); // a log scale has no place for 0
      const end = Math.min(length, to + length / WIDTH); // a pixel under the next one, so that no seam shows
      return { layer, from, to, end, middle: (from + to) / 2, mass: share, timesEven, drawn, kept };
    }),
  );

/** Labels, with the pixels that each has until the next in its row: in two rows where one is too crowded. */
function boundaryRows({ boundaries, length }: Funnel) {
  const room = (i: number, rows: number) => {
    const next = boundaries[i + rows];
    const end = next === undefined ? WIDTH + OVERHANG : (next.position / length) * WIDTH;
    return Math.max(1, end - ((boundaries[i]?.position ?? 0) / length) * WIDTH - 6);
  };
  const rows = boundaries.every(({ label }, i) => label.length * LETTER <= room(i, 1)) ? 1 : 2;
  return boundaries.map(({ position, label }, i) => ({ position, label, row: i % rows, room: room(i, rows) }));
}

function altOf({ layers, length }: Funnel): string {
  const tokens = (layer: number) => (layers.at(layer)?.effectiveTokens ?? 0).toFixed(0);
  return `Heatmap of attention by layer and position over ${length} tokens. The lowest layer's is as spread out as over ${tokens(0)} tokens, the highest layer's as over ${tokens(-1)}.`;
}
