/**
 * Metrics: what an answer is worth, 0 to 1, as published evaluations compute it; the numbers agree with theirs to rounding in the last
 * bits (test/golden/metrics). One file per metric; `metrics` has them by name.
 */
import { classification } from "./classification.ts";
import { codeSimilarity, codeSimilarityLevenshtein } from "./code-similarity.ts";
import { count } from "./count.ts";
import type { Metric } from "./metric.ts";
import { qaF1 } from "./qa-f1.ts";
import { retrieval } from "./retrieval.ts";
import { rougeL } from "./rouge-l.ts";

export { bestOf, type Metric } from "./metric.ts";
export { classification, codeSimilarity, codeSimilarityLevenshtein, count, qaF1, retrieval, rougeL };

export const metrics = {
  "qa-f1": qaF1,
  "rouge-l": rougeL,
  classification,
  "code-similarity": codeSimilarity,
  "code-similarity-levenshtein": codeSimilarityLevenshtein,
  retrieval,
  count,
} as const satisfies Record<string, Metric>;
