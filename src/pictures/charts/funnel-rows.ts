/** The rows that a funnel's picture is drawn from. */
import type { Funnel } from "../../funnel/index.ts";

/** Pixels along the prompt. */
export const WIDTH = 640;
/** Pixels that the last label may reach beyond, over the panel beside it. */
const OVERHANG = 120;
/** Pixels of a letter, about, and of the shortest label that says something. */
const LETTER = 6;
const SHORTEST = 16;

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

/** Labels, with the pixels that each has until the next in its row: in two rows where one is too crowded. */
export function boundaryRows({ boundaries, length }: Funnel) {
  const room = (i: number, rows: number) => {
    const next = boundaries[i + rows];
    const end = next === undefined ? WIDTH + OVERHANG : (next.position / length) * WIDTH;
    return end - ((boundaries[i]?.position ?? 0) / length) * WIDTH - 6;
  };
  const rows = boundaries.every(({ label }, i) => label.length * LETTER <= room(i, 1)) ? 1 : 2;
  return boundaries.map(({ position, label }, i) => {
    const wide = room(i, rows) >= SHORTEST;
    return { position, label: wide ? label : "", row: i % rows, room: Math.max(1, room(i, rows)) };
  });
}
