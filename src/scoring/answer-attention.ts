import { KvError } from "../error.ts";
import type { Score } from "./score.ts";
import { promptColumns, seenBy } from "./seen-by.ts";

/**
 * The oracle's source: the attention that the tokens of a known answer give to each candidate, as they would come after the prompt,
 * summed over them, per query head.
 *
 * @param answer text, as it would follow the prompt, or token ids
 */
export const answerAttention = (answer: string | readonly number[]): Score =>
  seenBy({
    name: `answer(${JSON.stringify(answer)})`,
    sequences({ encode }) {
      if (typeof answer !== "string") return [Int32Array.from(answer)];
      if (encode !== null) return [encode(answer)];
      const allowed = "token ids, for a model without tokenizer";
      throw new KvError({ code: "tokenizer_missing", path: ["oracle", "answer"], found: answer, allowed });
    },
    see: async ({ queries, keys, kernels, length, ...visibility }) =>
      promptColumns(await kernels.columnSums(queries, keys, visibility), length),
    join: "sum",
  });
