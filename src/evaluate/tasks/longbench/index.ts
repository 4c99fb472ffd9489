/**
 * LongBench, LongBench-E and LongBench v2: their files, prompts, cuts, limits and scores as their authors publish them (THUDM/LongBench at 2e00731).
 * Answers are greedy, and the room for a prompt is the model's own (or `maxLength`) where the authors have a table of models. Peers deviate, so
 * compare numbers only with numbers of the same protocol:
 *
 * KVCache-Factory (c97f9d7, 2026-07), run_longbench.py and eval.py:
 * - cuts to 3,950 tokens (paths with "llama2" or "llama-2"; the authors have 3,500), 7,500 ("llama3", "llama-3") or 31,500 ("mistral"); others fail;
 * - Llama 3 gets its template, written out without a system turn, after the cut and where the authors have one; before 2026-07 (7855979) it got
 *   none, as Mistral still does (here: `chat: false`). Paths with "llama2" get "[INST] ... [/INST]" before the cut, few-shot and code too;
 * - every answer has at least one token (min_length), where the authors ask that of samsum alone; samsum runs past its line before 2026-07;
 * - its requirements have python-Levenshtein, which the authors' have not: lcc and repobench-p are scored by another ratio (our metric
 *   `code-similarity-levenshtein`), never lower. Its other metrics are the authors'. Predictions that are no JSON are left out of the mean.
 *
 * kvpress (8bb29b9, 2026-08), evaluation/:
 * - cuts nothing by default but at the tokenizer's model_max_length, and then the end of the context, never the middle; the question is not cut;
 * - wraps every data set in the chat template, few-shot and code too; "Answer:", "Summary:", "The final answer is: ", "Next line of code:" follow
 *   the assistant's opening, and are taken off the end of the input of trec, triviaqa and samsum for it. Instructions after the text count as
 *   context. It compresses before the question is read, unless `query_aware`;
 * - 20 tokens more for every answer, samsum does not end with its line, and answers lose their leading blanks before they are scored, code's
 *   indentation too (not in LongBench-E);
 * - v2: 16 tokens, a prompt with other blank lines and without its last quotation mark, choices not trimmed; right is what holds the right
 *   sentence anywhere, whatever it says first.
 *
 * All score every example by the classes of the file's first or last line; here they are the example's own. In the files they are the same.
 *
 * @see https://arxiv.org/abs/2308.14508, https://arxiv.org/abs/2412.15204
 */
import { invalid } from "../../../options.ts";
import type { Task } from "../../task.ts";
import { type Dataset, datasets } from "./datasets.ts";
import type { LongBenchOptions } from "./options.ts";
import { type LongBenchExample, longBenchTask } from "./task.ts";
import { longBenchV2 } from "./v2.ts";

export type { Band } from "./datasets.ts";
export type { LongBenchOptions } from "./options.ts";
export {
  type LongBenchEScores,
  type LongBenchScores,
  longBenchEScores,
  longBenchScores,
  longBenchV2Scores,
  type Scored,
} from "./scores.ts";
export type { LongBenchExample } from "./task.ts";
export { longBenchV2 };

type Factory = (options?: LongBenchOptions) => Task<LongBenchExample>;

const all: readonly (readonly [string, Dataset])[] = Object.entries(datasets);
const plain = new Map<string, Factory>(
  all.map(([name, dataset]) => [name, longBenchTask(`longbench/${name}`, name, dataset, false)]),
);
const extended = new Map<string, Factory>(
  all
    .filter(([, dataset]) => dataset.extended)
    .map(([name, dataset]) => [name, longBenchTask(`longbench-e/${name}`, `${name}_e`, dataset, true)]),
);

/**
 * A data set of LongBench, such as "qasper": 16 in English. Facet: `dataset`.
 *
 * @throws KvError `invalid_option`, for an unknown data set with the known ones
 */
export const longBench = (dataset: string, options?: LongBenchOptions): Task<LongBenchExample> =>
  known("longbench", plain, dataset)(options);

/**
 * A data set of LongBench-E, such as "qasper": 13, with as many examples of each length. Facets: `dataset` ("qasper_e") and `length` ("0-4k",
 * "4-8k", "8k+" words).
 *
 * @throws KvError `invalid_option`, for an unknown data set with the known ones
 */
export const longBenchE = (dataset: string, options?: LongBenchOptions): Task<LongBenchExample> =>
  known("longbench-e", extended, dataset)(options);

function known(benchmark: string, factories: ReadonlyMap<string, Factory>, dataset: string): Factory {
  const factory = factories.get(dataset);
  if (factory !== undefined) return factory;
  const names = new Intl.ListFormat("en", { type: "disjunction" }).format(factories.keys());
  throw invalid([benchmark, "dataset"], dataset, names);
}

/** Every task by name: "longbench/qasper", "longbench-e/qasper", "longbench-v2". */
export const longBenchTasks: Readonly<Record<string, (options?: LongBenchOptions) => Task>> = Object.fromEntries([
  ...[...plain].map(([name, factory]) => [`longbench/${name}`, factory] as const),
  ...[...extended].map(([name, factory]) => [`longbench-e/${name}`, factory] as const),
  ["longbench-v2", longBenchV2] as const,
]);
