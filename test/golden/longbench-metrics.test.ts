/** Scores against LongBench's own code (make_metrics.py): the same numbers to the last bit. */
import { expect, test } from "bun:test";
import { type Metric, metrics } from "../../src/evaluate/metrics/index.ts";
import golden from "../fixtures/longbench/metrics.json" with { type: "json" };

type Row = readonly (string | number)[];

/** @param column which of the scores after answer and reference is the metric's */
function agrees(metric: Metric, rows: readonly Row[], column: number, wrap = (reference: string) => reference): void {
  for (const [answer, reference, ...scores] of rows) {
    const score = metric(String(answer), [wrap(String(reference))], golden.classes);
    expect({ answer, reference, score }).toEqual({ answer, reference, score: Number(scores[column]) });
  }
}

test("words score as LongBench's code has them", () => {
  agrees(metrics["qa-f1"], golden.texts, 0);
  agrees(metrics["rouge-l"], golden.texts, 1);
});

test("code scores as LongBench's code has it, without python-Levenshtein and with it", () => {
  agrees(metrics["code-similarity"], golden.codes, 0);
  agrees(metrics["code-similarity-levenshtein"], golden.codes, 1);
});

test("labels score as LongBench's code has them", () => agrees(metrics.classification, golden.labels, 0));

test("numbers score as LongBench's code has them", () => {
  agrees(metrics.count, golden.numbers, 0);
  agrees(metrics.retrieval, golden.numbers, 1, (number) => `Paragraph ${number}`);
});
