/** Results as one page: what `report` writes, and every evaluation that is given --out. */
import { type Result, summarise } from "../../src/evaluate/index.ts";
import { KvError, type Model, pyramidKV } from "../../src/index.ts";
import { type Picture, report, savePage } from "../../src/pictures/index.ts";
import { drawFunnel } from "./funnel.ts";

export interface PageRequest {
  readonly results: readonly Result[];
  readonly out: string;
  readonly title?: string | undefined;
  /** Its funnel is drawn if the results are its own; null draws none. */
  readonly model: Model | null;
  /** How to make the page again. */
  readonly commands: readonly string[];
}

/** Writes the page. @throws KvError `disk_error` */
export async function writePage({ results, out, title, model, commands }: PageRequest): Promise<void> {
  const placed = results.filter(({ facets }) => "length" in facets && "depth" in facets);
  const page = report({
    title,
    results,
    summaries: results.length === 0 ? [] : summarise(results, { by: ["task", "method", "budget"] }),
    needles: placed.length === 0 ? [] : summarise(placed, { by: ["task", "method", "budget", "length", "depth"] }),
    pictures: model === null ? [] : await funnelOf(model, results),
    commands,
  });
  await savePage(page, out);
}

/** The funnel of a question over documents, or nothing for another model's results. */
async function funnelOf(model: Model, results: readonly Result[]): Promise<readonly Picture[]> {
  const { weights } = await model.provenance();
  if (!results.some(({ provenance }) => provenance.weights === weights)) {
    console.error(`no funnel: the results are not of ${model.id}; name their model with --model`);
    return [];
  }
  try {
    const request = { prompt: null, documents: 24, method: pyramidKV({ budget: 64 }), window: 8 };
    return [(await drawFunnel(model, request)).picture];
  } catch (fault) {
    // The page of what was measured does not depend on it.
    if (!(fault instanceof KvError)) throw fault;
    console.error(`no funnel: ${fault.message}`);
    return [];
  }
}
