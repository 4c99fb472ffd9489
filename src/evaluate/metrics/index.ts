/**
 * Metrics: what an answer is worth, 0 to 1. Those of published evaluations compute what these do, to the last bit on goldens of their own
 * code. One file per metric; `metrics` has them by name.
 *
 * Ports that exist give other numbers: fuzzball 2.2.6 rounds halves up (63 for 62) and gives two empty lines 0 for 100; js-rouge 3.2.3 takes
 * sentences otherwise (0.86 for 0.80).
 */
import { classification } from "./classification.ts";
import { codeSimilarity, codeSimilarityLevenshtein } from "./code-similarity.ts";
import { count } from "./count.ts";
import { firstLabel } from "./first-label.ts";
import { firstNumber } from "./first-number.ts";
import type { Metric } from "./metric.ts";
import { qaF1 } from "./qa-f1.ts";
import { retrieval } from "./retrieval.ts";
import { rougeL } from "./rouge-l.ts";
import { stringMatchAll, stringMatchPart } from "./string-match.ts";

export { bestOf, type Metric } from "./metric.ts";
export {
  classification,
  codeSimilarity,
  codeSimilarityLevenshtein,
  count,
  firstLabel,
  firstNumber,
  qaF1,
  retrieval,
  rougeL,
  stringMatchAll,
  stringMatchPart,
};

export const metrics = {
  "qa-f1": qaF1,
  "rouge-l": rougeL,
  classification,
  "code-similarity": codeSimilarity,
  "code-similarity-levenshtein": codeSimilarityLevenshtein,
  retrieval,
  count,
  "string-match-all": stringMatchAll,
  "string-match-part": stringMatchPart,
  "first-number": firstNumber,
  "first-label": firstLabel,
} as const satisfies Record<string, Metric>;
