/** Which heads retrieve: how much of the answer's attention goes to the fact that answers. */
import { type HeadScores, headScores } from "../allocation/head-scores.ts";
import { KvError } from "../error.ts";
import type { Model } from "../load.ts";
import type { Tokenizer } from "../model/tokenizer/tokenizer.ts";
import { prefill } from "../prefill.ts";
import { runProbes } from "../run-probes.ts";
import { type Measured, measuredLayer } from "../scoring/measured.ts";
import type { Probe } from "../scoring/probe.ts";
import type { Tensor } from "../tensor.ts";
import { loadMeasured, sound } from "./file.ts";
import { eachSequence, type MeasureOptions, measurementOf } from "./take.ts";

/** A question whose answer stands in its text. */
export interface Retrieval {
  /** Ends right before the answer. */
  readonly prompt: string;
  readonly answer: string;
  /** The part of the prompt that says it, word for word; its first occurrence counts. */
  readonly fact: string;
}

/** One tensor [L, KH], and the same as `headImportance`, `headKV` and `duoAttention` take it. */
export type MeasuredHeads = Measured<"heads"> & HeadScores;

/**
 * Measures retrieval scores of all KV heads, as HeadKV and DuoAttention need them: of the attention with which the answer's tokens are
 * predicted, each forced to be the true one, the share that falls on the fact; averaged over tokens, over the query heads of a
 * group, and over prompts.
 *
 * @throws KvError `empty_prompt` for no prompts, `invalid_option` for one that does not hold its fact; `tokenizer_missing`,
 *   `prompt_too_long`, `aborted`
 * @see https://arxiv.org/abs/2410.19258 section 3.2, whose score also asks that the fact be among the tokens most attended to
 */
export async function measureHeads(
  model: Model,
  prompts: readonly Retrieval[],
  options: MeasureOptions = {},
): Promise<MeasuredHeads> {
  const { layers, kvHeads, queryHeads } = model.config;
  const { tokenizer } = model;
  if (tokenizer === null)
    throw new KvError({ code: "tokenizer_missing", path: ["model"], found: model.id, allowed: "one with a tokenizer" });
  const forced = prompts.map((prompt) => forcedOf(tokenizer, prompt));
  const sequences = forced.map(({ tokens }) => tokens);
  const scores = new Float64Array(layers * kvHeads);
  await eachSequence(model, sequences, options, async (_, index) => {
    const one = forced[index];
    if (one === undefined) return;
    for (const [layer, shares] of (await sharesOnFact(model, one, options.signal)).entries())
      for (const [head, share] of shares.entries()) {
        const at = layer * kvHeads + Math.floor((head * kvHeads) / queryHeads);
        scores[at] = (scores[at] ?? 0) + (share * kvHeads) / queryHeads / prompts.length;
      }
  });
  const tensors = new Map([["heads", { data: Float32Array.from(scores), dims: [layers, kvHeads] }]]);
  return headsOf(model, await measurementOf("heads", model, sequences, tensors, options.settings));
}

/**
 * Loads head scores that were measured on this model.
 *
 * @throws KvError `wrong_model` for those of other weights, `corrupt_file`, `unsupported_format` for another kind of file, and whatever
 *   reading a file throws
 */
export const loadHeads = async (model: Model, path: string): Promise<MeasuredHeads> => {
  const measured = await loadMeasured(model, path, "heads");
  return sound(path, () => headsOf(model, measured));
};

function headsOf({ config: { layers, kvHeads } }: Model, measured: Measured<"heads">): MeasuredHeads {
  const values = Array.from({ length: layers }, (_, layer) => [...measuredLayer(measured, "heads", layer, [kvHeads])]);
  return { ...measured, ...headScores(values, measured.label) };
}

/** A prompt and its answer but for the last token, which predicts nothing of it. */
interface Forced {
  readonly tokens: Int32Array;
  /** Where tokens begin that predict the answer: at the prompt's last. */
  readonly from: number;
  /** The fact's tokens: from, and up to. */
  readonly fact: readonly [number, number];
}

function forcedOf(tokenizer: Tokenizer, { prompt, answer, fact }: Retrieval): Forced {
  const tokens = tokenizer.encode(prompt);
  const said = tokenizer.encode(` ${answer}`, { addSpecialTokens: false });
  return {
    tokens: Int32Array.of(...tokens, ...said.subarray(0, -1)),
    from: tokens.length - 1,
    fact: placeOf(tokenizer, tokens, prompt, fact),
  };
}

/** [layers][H] */
async function sharesOnFact(
  model: Model,
  { tokens, from, fact }: Forced,
  signal: AbortSignal | undefined,
): Promise<readonly (readonly number[])[]> {
  const [earlier, predicting] = [tokens.subarray(0, from), tokens.subarray(from)];
  using context = await prefill(model, earlier, { signal });
  const probe = attentionOf(predicting);
  const seen = await runProbes(model, earlier, context.entries, [probe], { chunk: predicting.length });
  return (seen.get(probe.name) ?? []).map(({ data, dims: [heads = 0, length = 0] }) =>
    Array.from({ length: heads }, (_, head) => {
      const own = data.subarray(head * length + fact[0], head * length + fact[1]);
      return own.reduce((sum, mass) => sum + mass, 0) / predicting.length;
    }),
  );
}

/** What tokens after the prompt attend to of it, summed over them. */
const attentionOf = (tokens: Int32Array): Probe => ({
  name: "attention of what follows",
  join: "sum",
  sequences: () => [tokens],
  async see({ queries, keys, kernels, slidingWindow, length }): Promise<Tensor> {
    const { data, dims } = await kernels.columnSums(queries, keys, { slidingWindow });
    const [heads = 0, all = 0] = dims;
    const prompt = new Float32Array(heads * length);
    for (let head = 0; head < heads; head++) prompt.set(data.subarray(head * all, head * all + length), head * length);
    return { data: prompt, dims: [heads, length] };
  },
});

/** The tokens that a part of the prompt's text is in: from, and up to. */
function placeOf(tokenizer: Tokenizer, tokens: Int32Array, prompt: string, fact: string): readonly [number, number] {
  const start = prompt.indexOf(fact);
  const allowed = "a prompt that holds its fact";
  if (start < 0 || fact === "") throw new KvError({ code: "invalid_option", path: ["fact"], found: fact, allowed });
  const textLength = (count: number) => tokenizer.decode(tokens.subarray(0, count), { skipSpecialTokens: true }).length;
  /** How many tokens do not go beyond the first `characters`: text only grows with tokens. */
  const within = (characters: number) => {
    let [low, high] = [0, tokens.length];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (textLength(middle) <= characters) low = middle;
      else high = middle - 1;
    }
    return low;
  };
  const last = within(start + fact.length - 1);
  return [within(start), Math.min(tokens.length - 1, last + 1)];
}
