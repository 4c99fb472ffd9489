/** LongBench v2: questions with four choices, in one JSON file. @see https://arxiv.org/abs/2412.15204 */
import { z } from "zod";
import { defineTask, type Example } from "../../task.ts";
import { promptTokens, roomFor } from "./fit.ts";
import { faultsTo, optionsWith } from "./options.ts";
import { itemsOf } from "./pieces.ts";
import { recordsOf } from "./records.ts";
import { openData } from "./source.ts";

const NAME = "longbench-v2";
/** Tokens: the published limit without a chain of thought. */
const MAX_NEW_TOKENS = 128;

/** The published zero-shot prompt, word by word. @see https://github.com/THUDM/LongBench/blob/2e00731/prompts/0shot.txt */
export const PROMPT = `Please read the following text and answer the question below.

<text>
$DOC$
</text>

What is the correct answer to this question: $Q$
Choices:
(A) $C_A$
(B) $C_B$
(C) $C_C$
(D) $C_D$

Format your response as follows: "The correct answer is (insert answer here)".`;

const recordSchema = z.object({
  _id: z.string().min(1),
  difficulty: z.enum(["easy", "hard"]),
  length: z.enum(["short", "medium", "long"]),
  question: z.string(),
  choice_A: z.string(),
  choice_B: z.string(),
  choice_C: z.string(),
  choice_D: z.string(),
  answer: z.enum(["A", "B", "C", "D"]),
  context: z.string(),
});

const options = optionsWith("THUDM/LongBench-v2");

/**
 * The task. Its options are `LongBenchOptions`; the file is `data.json`, the data set on the Hub THUDM/LongBench-v2.
 *
 * Facets: `difficulty` (easy, hard) and `length` (short, medium, long).
 *
 * @throws KvError `invalid_option`
 */
export const longBenchV2 = defineTask<typeof options, Example>(NAME, options, (given) => ({
  maxNewTokens: MAX_NEW_TOKENS,
  stop: "model",
  async *examples(reader) {
    const room = roomFor(NAME, given.maxLength, MAX_NEW_TOKENS, reader);
    const { path, chunks } = await openData(NAME, given, "data.json", null);
    const records = recordsOf(path, itemsOf(chunks), recordSchema, faultsTo(given.onMalformed, reader));
    let made = 0;
    for await (const record of records) {
      yield {
        id: record._id,
        prompt: promptTokens(NAME, filled(record), reader.tokenizer, room, given.chat),
        answers: [record.answer],
        facets: { dataset: NAME, difficulty: record.difficulty, length: record.length },
      };
      if (++made === given.examples) return;
    }
  },
  score: (answer, { answers }) => (answers.includes(choiceOf(answer) ?? "") ? 1 : 0),
}));

function filled(record: z.output<typeof recordSchema>): string {
  const parts = new Map([
    ["DOC", record.context],
    ["Q", record.question],
    ["C_A", record.choice_A],
    ["C_B", record.choice_B],
    ["C_C", record.choice_C],
    ["C_D", record.choice_D],
  ]);
  return PROMPT.replaceAll(/\$([A-Z_]+)\$/g, (_, part) => (parts.get(part) ?? "").trim());
}

/** The letter that an answer decides on, in the form it was asked for, with or without brackets; asterisks do not matter. */
function choiceOf(answer: string): string | undefined {
  const plain = answer.replaceAll("*", "");
  const [, choice] =
    /The correct answer is \(([A-D])\)/.exec(plain) ?? /The correct answer is ([A-D])/.exec(plain) ?? [];
  return choice;
}
