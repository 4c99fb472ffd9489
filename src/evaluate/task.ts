/**
 * A task is a set of examples with known answers: how they are made or read, how a model is asked, how long it may answer, and what an
 * answer is worth. It knows nothing of models beyond their tokenizer, and nothing of methods.
 */
import type { z } from "zod";
import type { KvError } from "../error.ts";
import { parseOptions } from "../methods/options.ts";
import type { Tokenizer } from "../model/tokenizer/tokenizer.ts";

/** What examples are grouped by in reports, such as their length or dataset. */
export type Facets = Readonly<Record<string, string | number>>;

/** Data that JSON can carry: what is written beside a result. */
export type Plain = Readonly<Record<string, unknown>>;

export interface Example {
  /** Unique within a task's examples of one seed. */
  readonly id: string;
  /** Ends right before what is to be generated. Token ids where the task cut or templated it itself. */
  readonly prompt: string | Int32Array;
  /** At least one. What several mean is for the task's score to say. */
  readonly answers: readonly string[];
  /**
   * What a right answer looks like as the prompt's next words, for the oracle, which is told it; default: the first answer, after a blank
   * if the prompt does not end in one.
   */
  readonly reply?: string;
  readonly facets: Facets;
}

/** What a task may know of who is asked. */
export interface Reader {
  readonly tokenizer: Tokenizer;
  /** Tokens of prompt and answer together, at most. */
  readonly contextLength: number;
  /** Equal seeds, options and tokenizers make equal examples. Tasks that read files do not depend on it. */
  readonly seed: number;
  /** Told of each example that a task leaves out because it was asked to and it cannot be read; default: a warning of the process. */
  readonly onSkip?: (fault: KvError) => void;
}

/**
 * What ends an answer before its tokens are used up: the model's own end; that or the end of a line; or nothing, where a newline or
 * an end before the answer must not empty it.
 */
export type Stop = "model" | "line" | "never";

export interface Task<Asked extends Example = Example> {
  readonly name: string;
  /** The validated options, defaults filled in: with a seed, all that decides the examples. */
  readonly options: Plain;
  /** Tokens of an answer, at most. */
  readonly maxNewTokens: number;
  /** Tokens of an answer before anything may end it; default 0. */
  readonly minNewTokens?: number;
  readonly stop: Stop;
  /**
   * The examples, in an order that is always the same; how many there are is the task's own option.
   *
   * @throws KvError `corrupt_file` with file and line, `invalid_option` where what was asked for does not fit the context
   */
  examples(reader: Reader): Iterable<Asked> | AsyncIterable<Asked>;
  /** What an answer is worth: 0 to 1. It follows from the task's name, the prompt and the answers, whatever the options. */
  score(answer: string, example: Asked): number;
}

/** Makes a task from its options, all of which have defaults. @throws KvError `invalid_option` at path [name, option] */
export type TaskFactory<Options extends object = object> = (options?: Options) => Task;

/**
 * Defines a task.
 *
 * @param name what errors, reports and the command line call it
 * @param shape zod schemas of its options, each with a default or optional, whose messages end "must be ..."
 * @param build the task's parts from its validated options
 */
export function defineTask<Shape extends z.ZodRawShape, Asked extends Example = Example>(
  name: string,
  shape: Shape,
  build: (options: z.output<z.ZodObject<Shape>>) => Omit<Task<Asked>, "name" | "options">,
): (options?: z.input<z.ZodObject<Shape>>) => Task<Asked> {
  return (given) => {
    const options = parseOptions(name, shape, given ?? {});
    return { name, options, ...build(options) };
  };
}
