/**
 * Small tasks that a model either solves or not, made here from a seed and the chapters of Moby-Dick: nothing is fetched, and no file
 * of someone else's text is needed. Full attention of SmolLM2-135M solves nearly all (16 examples each, 2026-11: needle 16
 * and 16, needle of four 14, few-shot 15), so what a method or a precision loses shows.
 */
import type { Tokenizer } from "../../src/index.ts";
import type { Example } from "./example.ts";
import { fewShot } from "./few-shot.ts";
import { needle } from "./needle.ts";

export { type Answer, ask } from "./answers.ts";
export type { Example } from "./example.ts";
export { stretches } from "./haystack.ts";

export interface Task {
  readonly name: string;
  readonly examples: readonly Example[];
}

/** `count` examples of each task. */
export const tasks = (tokenizer: Tokenizer, count: number): readonly Task[] => [
  { name: "needle, 500 tokens", examples: needle(tokenizer, { length: 500, count }) },
  { name: "needle, 1000 tokens", examples: needle(tokenizer, { length: 1000, count }) },
  { name: "one of four needles, 500 tokens", examples: needle(tokenizer, { length: 500, count, others: 3 }) },
  { name: "few-shot, 500 tokens", examples: fewShot(tokenizer, { length: 500, count }) },
];
