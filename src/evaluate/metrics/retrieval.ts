import { bestOf } from "./metric.ts";
import { shareOfNumbers } from "./numbers.ts";

/** LongBench's score of a passage's number: the share of the answer's numbers that are the reference's, which reads "Paragraph 7". */
export const retrieval = bestOf((answer, reference) => {
  const [, right] = /Paragraph (\p{Nd}+)/u.exec(reference) ?? [];
  return right === undefined ? 0 : shareOfNumbers(answer, right);
});
