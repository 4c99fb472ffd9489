/** The funnel of a prompt, with what a method keeps of it drawn over: of the user's prompt, or of a question over made-up documents. */
import { documentBounds, multiDocQa } from "../../src/evaluate/index.ts";
import { compress, KvError, type Method, type Model, prefill } from "../../src/index.ts";
import { type Boundary, type Funnel, funnel, funnelHeatmap, type Picture, retained } from "../../src/pictures/index.ts";

export interface FunnelRequest {
  /** The user's own; else a question over so many documents. */
  readonly prompt: string | null;
  readonly documents: number;
  readonly method: Method;
  /** Last tokens whose attention is looked at. */
  readonly window: number;
}

/** @throws KvError `tokenizer_missing`, and as `prefill`, `compress` and `funnel` do */
export async function drawFunnel(
  model: Model,
  { prompt, documents, method, window }: FunnelRequest,
): Promise<{ readonly shown: Funnel; readonly picture: Picture }> {
  const { text, boundaries } =
    prompt === null ? await questionOver(model, documents) : { text: prompt, boundaries: [] };
  using context = await prefill(model, text, { observe: [method] });
  using cache = await compress(context, method);
  const shown = await funnel(context, { window, boundaries });
  const budget = Number.isFinite(method.budget) ? `${method.budget} entries` : "everything";
  const keptBy = `${method.name}, ${budget}`;
  return { shown, picture: funnelHeatmap(shown, { retained: retained(cache, shown.edges), keptBy }) };
}

/** A question over documents, and where each of them begins. */
async function questionOver({ id, tokenizer, config }: Model, documents: number) {
  if (tokenizer === null) {
    const allowed = "a model with a tokenizer";
    throw new KvError({ code: "tokenizer_missing", path: ["--model"], found: id, allowed });
  }
  const task = multiDocQa({ documents: [documents], examples: 1 });
  for await (const example of task.examples({ tokenizer, contextLength: config.contextLength, seed: 0 })) {
    const boundaries = documentBounds(tokenizer, example).map(
      (position, i): Boundary => ({ position, label: i < documents ? `document ${i + 1}` : "question" }),
    );
    return { text: example.prompt, boundaries };
  }
  throw new RangeError("no example");
}
