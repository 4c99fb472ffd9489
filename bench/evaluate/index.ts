/**
 * Small tasks that a model either solves or not, made from a seed and the chapters of Moby-Dick (src/evaluate/tasks): nothing is fetched, and
 * no file of someone else's text is needed. Full attention of SmolLM2-135M solves most (2026-11: needle 11 of 11 at either length, one of
 * four needles 8 of 11, few-shot 24 of 24), so what a method or a precision loses shows.
 */
import type { Task as Source, Example as Sourced } from "../../src/evaluate/task.ts";
import { fewShot } from "../../src/evaluate/tasks/few-shot.ts";
import { needle } from "../../src/evaluate/tasks/needle/index.ts";
import type { Tokenizer } from "../../src/index.ts";
import type { Example } from "./example.ts";

export { stretches } from "../../src/evaluate/haystack.ts";
export { type Answer, ask } from "./answers.ts";
export type { Example } from "./example.ts";

export interface Task {
  readonly name: string;
  readonly examples: readonly Example[];
}

/** `count` examples of each task. */
export async function tasks(tokenizer: Tokenizer, count: number): Promise<readonly Task[]> {
  const reader = { tokenizer, contextLength: 1000, seed: 1 };
  const made = async (name: string, task: Source<Sourced & { prompt: string }>, metric: Example["metric"]) => ({
    name,
    examples: await Array.fromAsync(task.examples(reader), (example) => ({
      ...example,
      answers: [...example.answers],
      metric,
    })),
  });
  const numbers = (length: number, keys = 1) => needle({ lengths: [length], depths: count, keys });
  return [
    await made("needle, 500 tokens", numbers(500), "startswith_num"),
    await made("needle, 1000 tokens", numbers(1000), "startswith_num"),
    await made("one of four needles, 500 tokens", numbers(500, 4), "startswith_num"),
    await made("few-shot, 500 tokens", fewShot({ lengths: [500], examples: count }), "contains_first_colon"),
  ];
}
