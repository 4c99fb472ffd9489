import { parse, textMetrics, View } from "vega";
import { compile } from "vega-lite";
import { textWidth } from "./font.ts";
import { type Specification, vegaLite } from "./specification.ts";
import { xmlText } from "./text.ts";

declare module "vega" {
  /** Measures text for layout; exported by Vega, not declared by its types. */
  export const textMetrics: { width(item: TextItem, text: unknown): number };
  interface TextItem {
    readonly fontSize?: number;
    readonly fontWeight?: string | number;
    /** Longest width in pixels, beyond which text is cut; 0 or none: any. */
    readonly limit?: number;
  }
}

/**
 * Draws a picture as SVG, without a browser. Its text stays text.
 *
 * Labels are laid out with the widths of the font that `toPng` draws them in; a viewer without it takes Arial, which is as wide.
 */
export async function toSvg(specification: Specification): Promise<string> {
  measureByFont();
  const view = new View(parse(compile(vegaLite(specification)).spec), { renderer: "none" });
  try {
    return ownIds(xmlText(await view.toSVG()));
  } finally {
    view.finalize();
  }
}

/** Vega counts gradients and clips over all pictures that it draws: here each picture counts its own, and is the same each time. */
function ownIds(svg: string): string {
  const ids = new Map<string, string>();
  return svg.replace(/(id="|url\(#)(gradient_?|clip)(\d+)/g, (_, before: string, kind: string, count: string) => {
    const own = ids.get(kind + count) ?? `${kind}${ids.size}`;
    ids.set(kind + count, own);
    return before + own;
  });
}

/** Vega guesses widths where it finds no canvas: four fifths of a letter's height each, which leaves gaps and cuts labels short. */
function measureByFont(): void {
  textMetrics.width = ({ fontSize = 11, fontWeight, limit = 0 }, text) => {
    const bold = fontWeight === "bold" || Number(fontWeight) >= 600;
    const width = textWidth(String(text ?? "").trim(), fontSize, bold ? "bold" : "normal");
    return limit > 0 ? Math.min(limit, width) : width;
  };
}
