import { type Picture, picture } from "../picture.ts";
import { distinct, LAYER_AXIS, leftOut, linesWithPoints, methodEncodings, nothing } from "./rows.ts";

/** Share of the last queries' attention that falls on what a method kept. */
export interface MethodRecall {
  readonly method: string;
  /** 0 to 1, per layer. */
  readonly recall: readonly number[];
}

export interface RecallOptions {
  /** Default "Attention recall per layer". */
  readonly title?: string | undefined;
}

/** Attention recall against layer, a line per method. */
export function recallByLayer(
  methods: readonly MethodRecall[],
  { title = "Attention recall per layer" }: RecallOptions = {},
): Picture {
  const all = methods.flatMap(({ method, recall }) => recall.map((share, layer) => ({ method, layer, recall: share })));
  const rows = all.filter(({ recall }) => Number.isFinite(recall));
  if (rows.length === 0) return nothing(title, "No recall was measured.");
  const names = distinct(rows.map(({ method }) => method));
  const encodings = methodEncodings(names);
  return picture({
    title,
    subtitle: `Share of the last queries' attention that falls on what was kept.${leftOut(all.length - rows.length)}`,
    alt: `Lines of attention recall against layer, for ${names.join(", ")}.`,
    data: { rows },
    spec: {
      data: { name: "rows" },
      width: 560,
      height: 320,
      encoding: {
        x: LAYER_AXIS,
        y: {
          field: "recall",
          type: "quantitative",
          title: "attention recall",
          scale: { domain: [0, 1], clamp: true },
          axis: { format: ".0%" },
        },
        color: encodings.colour,
      },
      layer: linesWithPoints(encodings, 36, ["method", "layer", "recall"]),
    },
  });
}
