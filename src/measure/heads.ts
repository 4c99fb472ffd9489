/** Which heads retrieve: how much of the answer's attention goes to the fact that answers. */
import { type HeadScores, headScores } from "../allocation/head-scores.ts";
import { KvError } from "../error.ts";
import type { Model } from "../load.ts";
import { prefill } from "../prefill.ts";
import { tokensOf } from "../prompt.ts";
import { runProbes } from "../run-probes.ts";
import type { Probe } from "../scoring/probe.ts";
import type { Tensor } from "../tensor.ts";

/** A question whose answer stands in its text. */
export interface Retrieval {
  /** Ends right before the answer. */
  readonly prompt: string;
  readonly answer: string;
  /** The part of the prompt that says it, word for word; its first occurrence counts. */
  readonly fact: string;
}

/**
 * Retrieval scores of all KV heads, as HeadKV and DuoAttention need them: of the attention with which the answer's tokens are
 * predicted, each forced to be the true one, the share that falls on the fact; averaged over tokens, over the query heads of a group,
 * and over prompts.
 *
 * @param label what records call it
 * @throws KvError `invalid_option` for no prompts, or one that does not hold its fact; `tokenizer_missing`, `prompt_too_long`
 * @see https://arxiv.org/abs/2410.19258 section 3.2, whose score also asks that the fact be among the tokens most attended to
 */
export async function measureHeads(
  model: Model,
  prompts: Iterable<Retrieval>,
  label = "retrieval",
): Promise<HeadScores> {
  const { layers, kvHeads, queryHeads } = model.config;
  const scores = Array.from({ length: layers }, () => new Array<number>(kvHeads).fill(0));
  let count = 0;
  for (const prompt of prompts) {
    for (const [layer, shares] of (await sharesOnFact(model, prompt)).entries())
      for (const [head, share] of shares.entries()) {
        const own = scores[layer];
        const kvHead = Math.floor((head * kvHeads) / queryHeads);
        if (own !== undefined) own[kvHead] = (own[kvHead] ?? 0) + (share * kvHeads) / queryHeads;
      }
    count++;
  }
  if (count === 0) throw noPrompts("measureHeads");
  return headScores(
    scores.map((own) => own.map((sum) => sum / count)),
    label,
  );
}

export const noPrompts = (owner: string) =>
  new KvError({ code: "invalid_option", path: [owner, "prompts"], found: "none", allowed: "one or more" });

/** [layers][H] */
async function sharesOnFact(
  model: Model,
  { prompt, answer, fact }: Retrieval,
): Promise<readonly (readonly number[])[]> {
  const tokens = tokensOf(model, prompt);
  const [from, to] = placeOf(model, tokens, prompt, fact);
  // The last token of the prompt predicts the answer's first.
  const said = model.tokenizer?.encode(` ${answer}`, { addSpecialTokens: false }) ?? new Int32Array(0);
  const predicting = Int32Array.of(...tokens.subarray(-1), ...said.subarray(0, -1));
  const earlier = tokens.subarray(0, -1);
  using context = await prefill(model, earlier);
  const probe = attentionOf(predicting);
  const seen = await runProbes(model, earlier, context.layers, [probe], { chunk: predicting.length });
  return (seen.get(probe.name) ?? []).map(({ data, dims: [heads = 0, length = 0] }) =>
    Array.from({ length: heads }, (_, head) => {
      const own = data.subarray(head * length + from, head * length + to);
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
function placeOf({ tokenizer }: Model, tokens: Int32Array, prompt: string, fact: string): readonly [number, number] {
  const start = prompt.indexOf(fact);
  const allowed = "a prompt that holds its fact";
  if (start < 0 || fact === "") throw new KvError({ code: "invalid_option", path: ["fact"], found: fact, allowed });
  const textLength = (count: number) =>
    tokenizer?.decode(tokens.subarray(0, count), { skipSpecialTokens: true }).length ?? 0;
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
