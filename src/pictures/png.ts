import { Resvg } from "@resvg/resvg-js";
import { z } from "zod";
import { checked } from "../options.ts";
import { fontsFor } from "./font.ts";
import type { Specification } from "./specification.ts";
import { toSvg } from "./svg.ts";

export interface PngOptions {
  /** Pixels per unit of the SVG; default 2, sharp on paper and on screens of high density. Above 0, at most 8. */
  readonly scale?: number | undefined;
}

const scaleError = "a number above 0 and at most 8";
const schema = z.object({ scale: z.number(scaleError).gt(0, scaleError).max(8, scaleError).default(2) });

/**
 * Draws a picture as PNG on white, without a browser and the same on every machine.
 *
 * @throws KvError `invalid_option`
 */
export async function toPng(specification: Specification, options: PngOptions = {}): Promise<Uint8Array> {
  const { scale } = checked(schema, options, "toPng");
  const svg = await toSvg(specification);
  const drawn = new Resvg(svg, { font: fontsFor(svg), fitTo: { mode: "zoom", value: scale }, background: "white" });
  return drawn.render().asPng();
}
