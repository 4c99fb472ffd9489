/** The rows that a funnel's picture is drawn from. */
import type { Funnel } from "../../funnel/index.ts";
import { textWidth } from "../font.ts";

/** Pixels along the prompt. */
export const WIDTH = 640;
/** Of labels, in pixels: their font, where they are cut, and between two. */
export const LABEL_SIZE = 11;
const LONGEST = 150;
const GAP = 8;

/** What a layer's attention is shared out between, from left to right. */
export const SHARES = [
  { on: "the first 4 tokens", colour: "#d55e00" },
  { on: "the rest", colour: "#cfcfcf" },
  { on: "the window itself", colour: "#56b4e9" },
] as const;

export const shareRows = ({ layers }: Funnel) =>
  layers.flatMap(({ sinks, window }, layer) =>
    [sinks, Math.max(0, 1 - sinks - window), window].map((share, place) => ({
      layer,
      share,
      place,
      on: SHARES[place]?.on ?? "",
    })),
  );

export const spreadRows = ({ layers }: Funnel) =>
  layers.map(({ effectiveTokens }, layer) => ({ layer, tokens: effectiveTokens }));

/** @param retained [layers][bins], null for no dots */
export const attentionRows = ({ layers, edges, length }: Funnel, retained: readonly (readonly number[])[] | null) =>
  layers.flatMap(({ mass }, layer) =>
    mass.map((share, bin) => {
      const [from, to] = [edges[bin] ?? 0, edges[bin + 1] ?? 0];
      const timesEven = (share / (to - from)) * length;
      const end = Math.min(length, to + length / WIDTH); // a pixel under the next one, so that no seam shows
      const kept = retained?.[layer]?.[bin] ?? 0;
      return { layer, from, to, end, middle: (from + to) / 2, mass: share, timesEven, kept };
    }),
  );

/**
 * Labels in two rows, each where it has room beside the one before it; those that have none anywhere are left out, and only their
 * lines remain.
 */
export function boundaryRows({ boundaries, length }: Funnel) {
  const ends = [0, 0]; // of each row's last label, in pixels
  return boundaries.map(({ position, label }) => {
    const x = (position / length) * WIDTH;
    const room = Math.min(LONGEST, textWidth(label, LABEL_SIZE) + 1);
    const row = ends.findIndex((end) => end <= x);
    if (row >= 0) ends[row] = x + room + GAP;
    return { position, part: label, label: row < 0 ? "" : label, row: Math.max(0, row), room };
  });
}
