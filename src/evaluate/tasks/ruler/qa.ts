/** RULER's `qa_1` and `qa_2`: questions over documents, those that hold the answer among others of the same file. */
import { z } from "zod";
import { invalid } from "../../../options.ts";
import { stringMatchPart } from "../../metrics/string-match.ts";
import { defineTask } from "../../task.ts";
import { examplesOf, type Recipe, rulerOptions } from "./examples.ts";
import { hotpotQa, type Question, type Questions, squad } from "./qa-files.ts";

const ANSWER = 32;
const file = z.string("the path of a JSON file").min(1, "the path of a JSON file").optional();

/** @param what the file that has to be given */
const task = (name: string, what: string, read: (path: string, task: string) => Questions) =>
  defineTask(name, { ...rulerOptions, file }, ({ length, examples, file }) => ({
    maxNewTokens: ANSWER,
    stop: "model",
    examples(reader) {
      if (file === undefined) throw invalid([name, "file"], file, `the path of ${what}`);
      const questions = read(file, name);
      const room = { task: name, option: "length", length, maxNewTokens: ANSWER } as const;
      return examplesOf(room, reader, questions.all.slice(0, examples).map(recipe(questions.documents)));
    },
    score: (answer, { answers }) => stringMatchPart(answer, answers),
  }));

export const qa1 = task("ruler/qa_1", "a file in SQuAD 2.0's format, such as dev-v2.0.json", squad);
export const qa2 = task("ruler/qa_2", "a file in HotpotQA's format, such as hotpot_dev_distractor_v1.json", hotpotQa);

/** A question's own documents, then those of the same article, then any others, as many as asked for, in random order. */
const recipe =
  (documents: readonly string[]) =>
  ({ question, answers, own, near }: Question): Recipe => ({
    least: own.length,
    most: documents.length,
    compose(size, random) {
      const context = random.some([...own, ...others(size - own.length)], size);
      const texts = context.map((i, k) => `Document ${k + 1}:\n${documents[i]}`);
      return { prompt: frame(texts.join("\n\n"), question), answers };

      function others(count: number): readonly number[] {
        if (count <= near.length) return random.some(near, count);
        const close = new Set([...own, ...near]);
        const far = [...documents.keys()].filter((i) => !close.has(i));
        return [...near, ...random.some(far, count - near.length)];
      }
    },
  });

const TASK =
  "Answer the question based on the given documents. Only give me the answer and do not output any other words.";

/** RULER's template and answer prefix. */
const frame = (context: string, question: string) =>
  `${TASK}\n\nThe following are given documents.\n\n${context}\n\n${TASK}\n\nQuestion: ${question} Answer:`;
