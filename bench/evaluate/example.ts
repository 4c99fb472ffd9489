/** A prompt with a known answer, and what counts as that answer. */
import { readFileSync } from "node:fs";
import { z } from "zod";
import { firstLabel } from "../../src/evaluate/metrics/first-label.ts";
import { firstNumber } from "../../src/evaluate/metrics/first-number.ts";
import { KvError } from "../../src/index.ts";

/**
 * What the text generated after a prompt must be:
 * - `startswith_num`: begins with the number, the whole number (772920 does not answer 77292);
 * - `contains_first_colon`: after the colon that the prompt still lacks, the first line begins with the label.
 */
export const METRICS = { startswith_num: firstNumber, contains_first_colon: firstLabel } as const;

const exampleSchema = z.object({
  id: z.string(),
  /** Ends right before what is to be generated. */
  prompt: z.string().min(1),
  /** Any of them. */
  answers: z.array(z.string().min(1)).min(1),
  metric: z.enum(["startswith_num", "contains_first_colon"]),
});

export type Example = Readonly<z.output<typeof exampleSchema>>;

export const isRight = ({ metric, answers }: Example, text: string): boolean => METRICS[metric](text, answers) === 1;

/** Examples of a file, one JSON object a line. @throws KvError `corrupt_file`, which names the line */
export function readExamples(path: string): Example[] {
  const lines = readFileSync(path, "utf8").trimEnd().split("\n");
  return lines.map((line, i) => {
    try {
      return exampleSchema.parse(JSON.parse(line));
    } catch (cause) {
      const allowed = "a JSON object with id, prompt, answers and metric";
      throw new KvError({ code: "corrupt_file", path: [path, `line ${i + 1}`], found: line, allowed, cause });
    }
  });
}
