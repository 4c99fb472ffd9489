/** The files of questions that RULER's `qa` tasks are made from: SQuAD 2.0's and HotpotQA's formats. */
import { z } from "zod";
import { KvError } from "../../../error.ts";
import { readText } from "../../read-text.ts";

export interface Question {
  readonly question: string;
  /** Any of them. */
  readonly answers: readonly string[];
  /** Indices of the documents that hold the answer, or were published with the question. */
  readonly own: readonly number[];
  /** And of others about the same. */
  readonly near: readonly number[];
}

export interface Questions {
  readonly all: readonly Question[];
  /** Every document once. */
  readonly documents: readonly string[];
}

const texts = z.array(z.object({ text: z.string().min(1) }));
const squadSchema = z.object({
  data: z.array(
    z.object({
      paragraphs: z.array(
        z.object({
          context: z.string().min(1),
          qas: z.array(
            z.object({ question: z.string().min(1), is_impossible: z.boolean().default(false), answers: texts }),
          ),
        }),
      ),
    }),
  ),
});

const hotpotSchema = z.array(
  z.object({
    question: z.string().min(1),
    answer: z.string().min(1),
    context: z.array(z.tuple([z.string(), z.array(z.string())])).min(1),
  }),
);

/**
 * Questions that have an answer, in the file's order; the documents are the paragraphs, near ones those of the same article.
 *
 * @throws KvError `invalid_option` where it cannot be read, `corrupt_file` that names the place in it
 */
export function squad(path: string, task: string): Questions {
  const { data } = parse(path, task, squadSchema, "as in SQuAD 2.0");
  const index = indexed(data.flatMap(({ paragraphs }) => paragraphs.map(({ context }) => context)));
  const all = data.flatMap(({ paragraphs }) =>
    paragraphs.flatMap(({ context, qas }) => {
      const own = index.of(context);
      const near = [...new Set(paragraphs.map((paragraph) => index.of(paragraph.context)))].filter((i) => i !== own);
      return qas
        .filter(({ is_impossible, answers }) => !is_impossible && answers.length > 0)
        .map(({ question, answers }) => ({ question, answers: answers.map(({ text }) => text), own: [own], near }));
    }),
  );
  return { all: some(all, path), documents: index.documents };
}

/** The documents are titles with their sentences, and all that came with a question its own. @throws KvError as `squad` does */
export function hotpotQa(path: string, task: string): Questions {
  const data = parse(path, task, hotpotSchema, "as in HotpotQA");
  const document = ([title, sentences]: readonly [string, readonly string[]]) => `${title}\n${sentences.join("")}`;
  const index = indexed(data.flatMap(({ context }) => context.map(document)));
  const all = data.map(({ question, answer, context }) => {
    const own = [...new Set(context.map((one) => index.of(document(one))))];
    return { question, answers: [answer], own, near: [] };
  });
  return { all: some(all, path), documents: index.documents };
}

function indexed(all: readonly string[]) {
  const documents = [...new Set(all)].sort();
  const places = new Map(documents.map((text, i) => [text, i]));
  return { documents, of: (text: string) => places.get(text) ?? 0 };
}

function some(all: readonly Question[], path: string): readonly Question[] {
  if (all.length > 0) return all;
  throw new KvError({ code: "corrupt_file", path: [path], found: "no question", allowed: "questions with answers" });
}

function parse<T>(path: string, task: string, schema: z.ZodType<T>, allowed: string): T {
  const result = schema.safeParse(json(path, task));
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const place = (issue?.path ?? []).map((part) => (typeof part === "symbol" ? String(part) : part));
  throw new KvError({ code: "corrupt_file", path: [path, ...place], found: issue?.message, allowed });
}

function json(path: string, task: string): unknown {
  const text = readText(path, [task, "file"]);
  try {
    return JSON.parse(text);
  } catch (cause) {
    const found = cause instanceof Error ? cause.message : String(cause);
    throw new KvError({ code: "corrupt_file", path: [path], found, allowed: "JSON", cause });
  }
}
