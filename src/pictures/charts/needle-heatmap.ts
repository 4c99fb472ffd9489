import type { Summary } from "../../evaluate/index.ts";
import { SCORES } from "../colours.ts";
import { type Picture, picture } from "../picture.ts";
import { distinct, drawable, facet, leftOut, nothing } from "./rows.ts";

export interface NeedleOptions {
  /** Default "Needle in a haystack". */
  readonly title?: string | undefined;
}

/**
 * Scores by the prompt's length and the needle's depth in it, a panel per method and budget, as the field draws them: red is wrong
 * and green right. The green leans to blue and each cell says its score, for those who see red and green alike.
 *
 * @param summaries of one task, one for each method, budget, length and depth (of the facets `length`, in tokens, and `depth`)
 */
export function needleHeatmap(
  summaries: readonly Summary[],
  { title = "Needle in a haystack" }: NeedleOptions = {},
): Picture {
  const drawn = summaries.filter((summary) => drawable(summary) && hasPlace(summary));
  if (drawn.length === 0) return nothing(title, "No result has a length and a depth.");
  const panels = panelsOf(drawn);
  const rows = panels.flatMap(({ name, members }) =>
    members.map((summary) => ({
      panel: name,
      length: Number(summary.group.length),
      depth: Number(summary.group.depth),
      percent: 100 * summary.mean,
      score: summary.mean,
      examples: summary.count,
    })),
  );
  const columns = Math.max(
    ...distinct(panels.map(({ budget }) => budget)).map((b) => panels.filter(({ budget }) => budget === b).length),
  );
  return picture({
    title,
    subtitle: `Score in percent, by the prompt's length and the needle's depth in it; method, budget and mean above each panel.${leftOut(summaries.length - drawn.length)}`,
    alt: `Heatmaps of needle scores by prompt length and needle depth: ${panels.map(({ name }) => name).join("; ")}.`,
    data: { rows },
    spec: {
      data: { name: "rows" },
      facet: {
        field: "panel",
        type: "nominal",
        title: null,
        sort: panels.map(({ name }) => name),
        header: { labelAnchor: "start" },
      },
      columns,
      spacing: 24,
      spec: {
        width: { step: 32 },
        height: { step: 19 },
        encoding: {
          x: { field: "length", type: "ordinal", title: "prompt (tokens)", axis: { labelAngle: -45, format: ",d" } },
          y: { field: "depth", type: "ordinal", title: "depth of the needle", axis: { format: depthFormat(drawn) } },
        },
        layer: [
          {
            mark: { type: "rect", stroke: "white", strokeWidth: 1 },
            encoding: {
              color: {
                field: "percent",
                type: "quantitative",
                title: "score (%)",
                scale: { domain: [0, 100], range: [...SCORES], interpolate: "lab" },
                // Above the panels, however many stand beside each other.
                legend: { orient: "top", direction: "horizontal", gradientLength: 160, values: [0, 25, 50, 75, 100] },
              },
              tooltip: ["panel", "length", "depth", "score", "examples"].map((field) => ({ field })),
            },
          },
          {
            mark: { type: "text", fontSize: 10 },
            encoding: {
              text: { field: "percent", type: "quantitative", format: ".0f" },
              color: {
                condition: { test: "datum.percent < 14 || datum.percent > 92", value: "white" },
                value: "#111111",
              },
            },
          },
        ],
      },
      resolve: { axis: { x: "independent", y: "independent" } },
    },
  });
}

const hasPlace = ({ group: { length, depth } }: Summary): boolean =>
  [length, depth].every((place) => place !== undefined && place !== "" && Number.isFinite(Number(place)));

/** Tasks count depth from 0 to 1 or in percent. */
const depthFormat = (summaries: readonly Summary[]): string =>
  summaries.every(({ group }) => Number(group.depth) <= 1) ? ".0%" : "~g";

interface Panel {
  readonly name: string;
  readonly budget: string;
  readonly members: readonly Summary[];
}

/** One for each method and budget, named with its mean; budgets in ascending order, before what has no number, such as "all". */
function panelsOf(summaries: readonly Summary[]): readonly Panel[] {
  const groups = Map.groupBy(summaries, (summary) =>
    JSON.stringify([facet(summary, "method"), facet(summary, "budget")]),
  );
  const panels = [...groups.values()].flatMap((members) => {
    const [first] = members;
    if (first === undefined) return [];
    const budget = facet(first, "budget");
    const mean = members.reduce((sum, member) => sum + member.mean, 0) / members.length;
    return [{ name: `${facet(first, "method")}, ${budget}: ${(100 * mean).toFixed(0)} %`, budget, members }];
  });
  const order = ({ budget }: Panel) =>
    Number.isNaN(Number.parseFloat(budget)) ? Number.POSITIVE_INFINITY : Number.parseFloat(budget);
  return panels.toSorted((a, b) => (order(a) === order(b) ? 0 : order(a) - order(b)));
}
