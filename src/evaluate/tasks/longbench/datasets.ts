/**
 * LongBench's English data sets: what is asked, how long an answer may be, and what it is scored by, as published.
 *
 * @see https://github.com/THUDM/LongBench/tree/2e00731/LongBench config/dataset2maxlen.json, pred.py, eval.py
 */
import type { metrics } from "../../metrics/index.ts";
import type { Stop } from "../../task.ts";
import { prompts } from "./prompts.ts";

export interface Dataset {
  /** With {context} and {input} for the example's. */
  readonly prompt: string;
  /** Tokens of an answer, at most. */
  readonly maxNewTokens: number;
  readonly metric: keyof typeof metrics;
  /** Whether the prompt is a user's turn in the model's chat template; few-shot examples and code are continued as they stand. */
  readonly chat: boolean;
  /** Whether only the first line of an answer counts, after newlines at its beginning. */
  readonly firstLine: boolean;
  readonly stop: Stop;
  /** Tokens before anything may end the answer. */
  readonly minNewTokens: number;
  /** Whether LongBench-E has it too. */
  readonly extended: boolean;
}

const common = { chat: true, firstLine: false, stop: "model", minNewTokens: 0, extended: true } as const;
const fewShot = { ...common, chat: false, firstLine: true } as const;
const code = { ...common, maxNewTokens: 64, metric: "code-similarity", chat: false } as const;
const hops = { ...common, maxNewTokens: 32, metric: "qa-f1" } as const;
const summary = { ...common, maxNewTokens: 512, metric: "rouge-l" } as const;

export const datasets = {
  narrativeqa: { ...common, prompt: prompts.narrativeqa, maxNewTokens: 128, metric: "qa-f1", extended: false },
  qasper: { ...common, prompt: prompts.qasper, maxNewTokens: 128, metric: "qa-f1" },
  multifieldqa_en: { ...common, prompt: prompts.multifieldqa_en, maxNewTokens: 64, metric: "qa-f1" },
  hotpotqa: { ...hops, prompt: prompts.hotpotqa },
  "2wikimqa": { ...hops, prompt: prompts["2wikimqa"] },
  musique: { ...hops, prompt: prompts.musique, extended: false },
  gov_report: { ...summary, prompt: prompts.gov_report },
  qmsum: { ...summary, prompt: prompts.qmsum, extended: false },
  multi_news: { ...summary, prompt: prompts.multi_news },
  trec: { ...fewShot, prompt: prompts.trec, maxNewTokens: 64, metric: "classification" },
  triviaqa: { ...fewShot, prompt: prompts.triviaqa, maxNewTokens: 32, metric: "qa-f1" },
  // Ends with its line, lest the next dialogue follow; but not before it has begun.
  samsum: {
    ...fewShot,
    prompt: prompts.samsum,
    maxNewTokens: 128,
    metric: "rouge-l",
    stop: "line",
    minNewTokens: 1,
  },
  passage_count: { ...common, prompt: prompts.passage_count, maxNewTokens: 32, metric: "count" },
  passage_retrieval_en: { ...common, prompt: prompts.passage_retrieval_en, maxNewTokens: 32, metric: "retrieval" },
  lcc: { ...code, prompt: prompts.lcc },
  "repobench-p": { ...code, prompt: prompts["repobench-p"] },
} as const satisfies Record<string, Dataset>;

/** Of LongBench-E: by the length of an example in words. */
export const bands = ["0-4k", "4-8k", "8k+"] as const;
export type Band = (typeof bands)[number];

export const bandOf = (length: number): Band => (length < 4000 ? "0-4k" : length < 8000 ? "4-8k" : "8k+");
