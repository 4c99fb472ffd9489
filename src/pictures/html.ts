import { version as vegaVersion } from "vega";
import { version as vegaLiteVersion } from "vega-lite";
import { browserBuilds, DRAW } from "./browser.ts";
import type { Column, Heading, Listing, Page, Paragraph, Part, Table } from "./page.ts";
import { type Specification, vegaLite } from "./specification.ts";
import { htmlText, scriptJson } from "./text.ts";

/** Nothing is fetched, whatever the data say; Vega compiles its expressions to functions, hence eval. */
const POLICY =
  "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; img-src data: blob:";

const STYLE = `
body { font: 15px/1.5 Arimo, Arial, Helvetica, sans-serif; color: #222; max-width: 80rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2.5rem; }
figure { margin: 1.5rem 0; overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; display: block; overflow-x: auto; margin: 1rem 0; }
th, td { padding: .2rem .8rem .2rem 0; border-bottom: 1px solid #e2e2e2; text-align: left; max-width: 24rem; overflow-wrap: break-word; }
.number { text-align: right; white-space: nowrap; }
pre { background: #f5f5f5; padding: .8rem; overflow-x: auto; }
footer { color: #6b6b6b; margin-top: 3rem; font-size: .85rem; }
`;

/**
 * One self-contained page: pictures that answer to the pointer, and what else there is to say. It works offline and loads nothing;
 * text from data is escaped wherever it stands. About 0.9 MB, nearly all of it Vega.
 *
 * @param page its parts may be pictures alone: toHtml({ title, parts: [accuracyCurves(summaries)] })
 */
export async function toHtml({ title, parts }: Page): Promise<string> {
  const builds = await browserBuilds();
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${htmlText(title)}</title>
<style>${STYLE}</style>
${builds.map((source) => `<script>${source}</script>`).join("\n")}
</head>
<body>
<h1>${htmlText(title)}</h1>
<noscript><p>The pictures need JavaScript.</p></noscript>
${parts.map(partHtml).join("\n")}
<footer>Drawn with Vega ${vegaVersion} and Vega-Lite ${vegaLiteVersion}.</footer>
<script>${DRAW}</script>
</body>
</html>
`;
}

function partHtml(part: Part): string {
  if ("spec" in part) return figure(part);
  if ("columns" in part) return table(part);
  if ("lines" in part) return listing(part);
  return "heading" in part ? heading(part) : paragraph(part);
}

const heading = ({ heading: text }: Heading) => `<h2>${htmlText(text)}</h2>`;
const paragraph = ({ text }: Paragraph) => `<p>${htmlText(text)}</p>`;
const listing = ({ lines }: Listing) => `<pre>${lines.map(htmlText).join("\n")}</pre>`;

const figure = (specification: Specification) =>
  `<figure aria-label="${htmlText(`${specification.title}. ${specification.alt}`)}"><div class="picture"></div>` +
  `<script type="application/json" class="vega-lite">${scriptJson(vegaLite(specification))}</script></figure>`;

function table({ columns, rows }: Table): string {
  const cell = (tag: "th" | "td", text: string, { number = false }: Omit<Column, "name"> = {}) =>
    `<${tag}${number ? ' class="number"' : ""}>${htmlText(text)}</${tag}>`;
  const head = columns.map((column) => cell("th", column.name, column)).join("");
  const body = rows.map((row) => `<tr>${row.map((text, i) => cell("td", text, columns[i])).join("")}</tr>`);
  return `<table><thead><tr>${head}</tr></thead><tbody>${body.join("\n")}</tbody></table>`;
}
