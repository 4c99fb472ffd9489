import type { PromptText } from "./probe.ts";
import type { Score } from "./score.ts";
import { promptColumns, seenBy } from "./seen-by.ts";

export interface ReconstructionOptions {
  /** Tokens that are repeated at once. */
  readonly chunk: number;
  /** What stands between the request and the repetition, such as a chat template's beginning of an answer. */
  readonly suffix: string;
}

/** Tokens of the chunk before that say where the next one starts. */
const BEFORE = 8;
const FIRST = "\n\nRepeat the previous context exactly.";
const NEXT = "\n\nRepeat the part of the previous context exactly, starting with ";

/**
 * KVzip's source: the most that any token gives to each candidate while the model is asked to repeat the prompt and does so, chunk by
 * chunk, per query head. The requests are the published ones; a model without tokenizer is made to repeat without being asked.
 *
 * @see https://arxiv.org/abs/2505.23416
 */
export const reconstruction = ({ chunk, suffix }: ReconstructionOptions): Score =>
  seenBy({
    name: `reconstruction(${chunk}, ${JSON.stringify(suffix)})`,
    sequences: ({ tokens, encode }) => {
      const requests: Int32Array[] = [];
      for (let from = 0; from < tokens.length; from += chunk) {
        const before = tokens.subarray(Math.max(0, from - BEFORE), from);
        const asked = [...said(encode, from === 0 ? FIRST : NEXT), ...before, ...said(encode, suffix)];
        requests.push(Int32Array.from([...asked, ...tokens.subarray(from, from + chunk)]));
      }
      return requests;
    },
    see: async ({ queries, keys, kernels, length, ...visibility }) =>
      promptColumns(await kernels.columnMax(queries, keys, visibility), length),
    join: "max",
  });

const said = (encode: PromptText["encode"], text: string): Int32Array => encode?.(text) ?? new Int32Array(0);
