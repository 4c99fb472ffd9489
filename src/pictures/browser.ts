/** What a page needs to draw Vega-Lite in a browser, offline: the builds that the packages bring, and a script of ours. */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const require = createRequire(import.meta.url);

/** In the order in which they need each other. The builds lie beside what the packages export. */
const BUILDS = ["vega", "vega-lite", "vega-embed"] as const;

/** The scripts' sources. They hold no "</script" (a test looks), so that they can stand in a page as they are. */
export const browserBuilds = (): Promise<readonly string[]> =>
  Promise.all(
    BUILDS.map(async (name) => {
      const source = await readFile(join(dirname(require.resolve(name)), `${name}.min.js`), "utf8");
      return source.replace(/\n\/\/# sourceMappingURL=.*\s*$/, ""); // the map does not travel with the page
    }),
  );

/** Draws the specification in each `script.vega-lite` into the figure around it. Nothing is loaded and no editor is linked to. */
export const DRAW = `
for (const script of document.querySelectorAll("script.vega-lite")) {
  const figure = script.parentElement.querySelector(".picture");
  const options = { renderer: "svg", actions: { export: true, source: false, compiled: false, editor: false } };
  vegaEmbed(figure, JSON.parse(script.textContent), options).catch((fault) => { figure.textContent = String(fault); });
}
`;
