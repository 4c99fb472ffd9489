import type { Funnel } from "../../funnel/index.ts";
import { type Picture, picture } from "../picture.ts";
import { attentionLayers, rowsOf, sharePanel, spreadPanel } from "./funnel-panels.ts";
import { attentionRows, boundaryRows, shareRows, spreadRows, WIDTH } from "./funnel-rows.ts";
import { nothing } from "./rows.ts";

export interface FunnelHeatmapOptions {
  /** Default "Where attention falls, layer by layer". */
  readonly title?: string | undefined;
  /** What a cache kept, from `retained(cache, funnel.edges)`: drawn as dots, larger where more heads keep more of a bin. */
  readonly retained?: readonly (readonly number[])[] | undefined;
  /** What kept that, for the subtitle: "pyramidkv, 128 entries". */
  readonly keptBy?: string | undefined;
}

/**
 * The attention of a prompt's last tokens: layers, lowest at the bottom, by positions, as a multiple of what an even spread would give
 * each token, on a log scale. Beside it, per layer, how many tokens it is spread over and how it is shared out.
 */
export function funnelHeatmap(
  funnel: Funnel,
  { title = "Where attention falls, layer by layer", retained, keptBy }: FunnelHeatmapOptions = {},
): Picture {
  const { layers, length, window } = funnel;
  if (layers.length === 0) return nothing(title, "The model has no layers.");
  const rows = rowsOf(layers.length);
  const widest = Math.max(...layers.map(({ effectiveTokens }) => effectiveTokens));
  const dots = retained === undefined ? "" : ` Dots: kept${keptBy === undefined ? "" : ` by ${keptBy}`}.`;
  const tokens = (layer: number) => (layers.at(layer)?.effectiveTokens ?? 0).toFixed(0);
  return picture({
    title,
    subtitle: `The last ${window} of ${length} tokens, mean over query heads.${dots}`,
    alt:
      `Heatmap of attention by layer and position over ${length} tokens. The lowest layer's is as spread out as over ` +
      `${tokens(0)} tokens, the highest layer's as over ${tokens(-1)}.`,
    data: {
      attention: attentionRows(funnel, retained ?? null),
      boundaries: boundaryRows(funnel),
      spread: spreadRows(funnel),
      shares: shareRows(funnel),
    },
    spec: {
      hconcat: [
        { width: WIDTH, height: { step: rows.step }, layer: attentionLayers(length, rows) },
        { width: 120, height: { step: rows.step }, ...spreadPanel(widest, rows) },
        { width: 120, height: { step: rows.step }, ...sharePanel(rows) },
      ],
      bounds: "flush",
      spacing: 20,
      resolve: { scale: { color: "independent" } },
    },
  });
}
