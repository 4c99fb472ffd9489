import { type Specification, vegaLite } from "./specification.ts";
import { toSvg } from "./svg.ts";

/** What notebooks under Deno ask a value for. */
const display: unique symbol = Symbol.for("Jupyter.display");

/** A specification that notebooks show. */
export interface Picture extends Specification {
  /** By MIME type: Vega-Lite, which JupyterLab and VS Code draw, and SVG and text for others. */
  [display](): Promise<Readonly<Record<string, unknown>>>;
}

/** Gives a specification its forms for notebooks. */
export const picture = (specification: Specification): Picture => ({
  ...specification,
  [display]: async () => ({
    // JupyterLab (4.6) registers version 5 and no later one, for which Vega-Lite's name in `$schema` must agree.
    "application/vnd.vegalite.v5+json": vegaLite(specification, 5),
    "image/svg+xml": await toSvg(specification),
    "text/plain": `${specification.title}: ${specification.alt}`,
  }),
});
