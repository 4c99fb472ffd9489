/** What charts have in common: what of a summary they draw, the scales of methods, and what to show where there is nothing. */
import type { TopLevelSpec } from "vega-lite";
import type { Summary } from "../../evaluate/index.ts";
import { methodStyles } from "../colours.ts";
import { type Picture, picture } from "../picture.ts";

/** One view inside a layered specification. */
export type Layer = Extract<TopLevelSpec, { readonly layer: unknown }>["layer"][number];

/** Each once, in order of appearance. */
export const distinct = <T>(values: Iterable<T>): readonly T[] => [...new Set(values)];

/** A group's facet as text; "" where it has none. */
export const facet = ({ group }: Summary, name: string): string => String(group[name] ?? "");

/** Whether a picture has a place for it: NaN and infinities have none. */
export const drawable = ({ mean, low, high, kept }: Summary): boolean => [mean, low, high, kept].every(Number.isFinite);

/** The end of a subtitle, about rows that could not be drawn; "" if all were. */
export const leftOut = (count: number): string => (count === 0 ? "" : ` Left out for want of a number: ${count}.`);

/** How many examples each of some summaries is of, in words. */
export function sampleSize(summaries: readonly Summary[]): string {
  const counts = summaries.map(({ count }) => count);
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  return least === most ? `${least} ${least === 1 ? "example" : "examples"}` : `${least} to ${most} examples`;
}

/**
 * Encodings that give methods their colours, dashes and shapes. Their domain is the data's, in order of appearance: a domain in the
 * specification would become a program's text, in which Vega 6.4 stumbles over a method called "constructor".
 *
 * @param methods in the order in which they appear in the data
 */
export function methodEncodings(methods: readonly string[]) {
  const styles = methodStyles(methods);
  const method = { field: "method", type: "nominal", title: "method", sort: null } as const;
  return {
    colour: { ...method, scale: { range: styles.map(({ colour }) => colour) } },
    dash: { ...method, scale: { range: styles.map(({ dash }) => (dash.length === 0 ? [1, 0] : [...dash])) } },
    shape: { ...method, scale: { range: styles.map(({ shape }) => shape) } },
  };
}

/** A line per method with a point wherever something was measured, which tells these fields. */
export const linesWithPoints = (
  { dash, shape }: Pick<ReturnType<typeof methodEncodings>, "dash" | "shape">,
  pointSize: number,
  fields: readonly string[],
): Layer[] => [
  { mark: { type: "line", strokeWidth: 2 }, encoding: { strokeDash: dash } },
  {
    mark: { type: "point", filled: true, size: pointSize, opacity: 1 },
    encoding: { shape, tooltip: fields.map((field) => ({ field })) },
  },
];

/** Layers along a line chart, the lowest first. */
export const LAYER_AXIS = {
  field: "layer",
  type: "quantitative",
  title: "layer",
  scale: { nice: false, zero: false, padding: 8 },
  axis: { format: "d", tickMinStep: 1, grid: false },
} as const;

/** A picture that says why there is nothing to draw. */
export const nothing = (title: string, why: string): Picture =>
  picture({
    title,
    alt: why,
    data: { rows: [{ why }] },
    spec: {
      data: { name: "rows" },
      width: 460,
      height: 60,
      mark: { type: "text", fontSize: 13, limit: 440, color: "#6b6b6b" },
      encoding: { text: { field: "why", type: "nominal" } },
    },
  });
