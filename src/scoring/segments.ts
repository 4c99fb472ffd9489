import { KvError } from "../error.ts";
import { observedPrompt } from "./observed.ts";
import { type LayerView, type Step, step } from "./score.ts";

/** Where segments end: after sentences, after lines, or after given positions of the prompt. */
export type Boundaries = "sentences" | "lines" | readonly number[];

/**
 * Gives every candidate the mean score of its segment, so that whole sentences, lines or documents stay or go; the budget may cut the
 * last one that stays, at its end. [r, m] -> [r, m]
 *
 * @param boundaries a list holds the last position of each segment, such as a document's last token, in any order
 * @throws KvError `invalid_option` for other boundaries; when it scores, `tokenizer_missing` for a model that cannot tell sentences or
 *   lines, and `observation_missing` for a prompt that went by in pieces
 */
export function segments(boundaries: Boundaries): Step {
  if (typeof boundaries !== "string") checkPositions(boundaries);
  else if (boundaries !== "sentences" && boundaries !== "lines") throw invalid(boundaries);
  const label = typeof boundaries === "string" ? boundaries : `${boundaries.length} positions`;
  return step(`segments(${label})`, async ({ data, dims }, view) => {
    const columns = view.candidates.to - view.candidates.from;
    const [rows = 0] = dims;
    const segmentOf = numbered(endsOf(boundaries, view), view);
    const means = new Float32Array(data.length);
    for (let from = 0; from < data.length; ) {
      const segment = segmentOf[positionOf(from, rows, view)];
      let [to, sum] = [from, 0];
      do sum += data[to++] ?? 0;
      while (to % columns !== 0 && segmentOf[positionOf(to, rows, view)] === segment);
      means.fill(sum / (to - from), from, to);
      from = to;
    }
    return { data: means, dims };
  });
}

/** The segment of each position of the prompt; an end need not be held to end one. */
function numbered(ends: ReadonlySet<number>, { positions }: LayerView): Int32Array {
  const last = positions.reduce((most, position) => Math.max(most, position), 0);
  let segment = 0;
  return Int32Array.from({ length: last + 1 }, (_, position) => (ends.has(position - 1) ? ++segment : segment));
}

/** Where in the prompt a candidate stands; rows may be of KV heads or of query heads. */
function positionOf(index: number, rows: number, { positions, length, kvHeads, candidates: { from, to } }: LayerView) {
  const [row, column] = [Math.floor(index / (to - from)), index % (to - from)];
  return positions[Math.floor((row * kvHeads) / rows) * length + from + column] ?? -1;
}

function endsOf(boundaries: Boundaries, view: LayerView): ReadonlySet<number> {
  if (typeof boundaries !== "string") return new Set(boundaries);
  const { tokens, text } = observedPrompt(view);
  if (text === null) {
    const allowed = "a list of positions, for a model without tokenizer";
    throw new KvError({ code: "tokenizer_missing", path: ["segments", "boundaries"], found: boundaries, allowed });
  }
  const said = Array.from(tokens, text);
  return new Set(boundaries === "lines" ? lineEnds(said) : sentenceEnds(said));
}

const lineEnds = (said: readonly string[]): readonly number[] =>
  said.flatMap((text, i) => (text.includes("\n") ? [i] : []));

/** Tokens that hold the last character of a sentence, the blanks after it left out: they belong to the next token. */
function sentenceEnds(said: readonly string[]): readonly number[] {
  const tokenAt = said.flatMap((text, i) => Array.from({ length: text.length }, () => i));
  const sentences = new Intl.Segmenter("en", { granularity: "sentence" }).segment(said.join(""));
  return Array.from(sentences, ({ index, segment }) => tokenAt[index + segment.trimEnd().length - 1] ?? -1);
}

function checkPositions(positions: unknown): void {
  if (!Array.isArray(positions)) throw invalid(positions);
  const wrong = positions.find((position) => !Number.isSafeInteger(position) || position < 0);
  if (wrong !== undefined) throw invalid(wrong);
}

const invalid = (found: unknown): KvError =>
  new KvError({
    code: "invalid_option",
    path: ["segments", "boundaries"],
    found,
    allowed: '"sentences", "lines" or a list of positions in the prompt, integers >= 0',
  });
