import { type Picture, picture } from "../picture.ts";
import { distinct, leftOut, linesWithPoints, methodEncodings, nothing } from "./rows.ts";

/** What a method cost at one length of prompt. */
export interface Cost {
  readonly method: string;
  /** Tokens of the prompt. */
  readonly context: number;
  /** Of the cache that decoding reads. */
  readonly bytes: number;
  /** Decoded tokens per second. */
  readonly tokensPerSecond: number;
}

export interface CostOptions {
  /** Default "Memory and speed against context". */
  readonly title?: string | undefined;
}

const MIB = 2 ** 20;

/** Memory of the cache and speed of decoding against the prompt's length, side by side, a line per method. */
export function costCurves(
  costs: readonly Cost[],
  { title = "Memory and speed against context" }: CostOptions = {},
): Picture {
  const drawn = costs.filter(
    ({ context, bytes, tokensPerSecond }) => context > 0 && [context, bytes, tokensPerSecond].every(Number.isFinite),
  );
  if (drawn.length === 0) return nothing(title, "No cost was measured.");
  const rows = drawn.map(({ bytes, ...cost }) => ({ ...cost, mebibytes: bytes / MIB }));
  const methods = distinct(rows.map(({ method }) => method));
  const encodings = methodEncodings(methods);
  const contexts = distinct(rows.map(({ context }) => context)).toSorted((a, b) => a - b);
  const panel = (field: "mebibytes" | "tokensPerSecond", unit: string) => ({
    width: 330,
    height: 280,
    encoding: {
      x: {
        field: "context",
        type: "quantitative" as const,
        title: "context (tokens, log scale)",
        scale: { type: "log" as const, nice: false, padding: 12 },
        axis: { values: [...contexts], format: ",d", labelOverlap: "greedy" as const, labelSeparation: 6 },
      },
      y: { field, type: "quantitative" as const, title: unit, scale: { zero: true } },
      color: encodings.colour,
    },
    layer: linesWithPoints(encodings, 55, ["method", "context", "mebibytes", "tokensPerSecond"]),
  });
  return picture({
    title,
    ...(drawn.length === costs.length ? {} : { subtitle: leftOut(costs.length - drawn.length).trim() }),
    alt: `Lines of the cache's memory and of decoding speed against the prompt's length, for ${methods.join(", ")}.`,
    data: { rows },
    spec: {
      data: { name: "rows" },
      hconcat: [panel("mebibytes", "cache (MiB)"), panel("tokensPerSecond", "decoding (tokens per second)")],
      spacing: 36,
    },
  });
}
