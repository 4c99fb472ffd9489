/** Schemas of the options that several tasks take. */
import { z } from "zod";
import { count } from "../../methods/options.ts";

const list = "a list of integers >= 1";

/** Tokens of prompt and answer together, at most. */
export const length = (tokens: number) => count(1).default(tokens);
export const lengths = (...tokens: number[]) => z.array(count(1), list).min(1, list).default(tokens);

/** How many examples; of a task with cells, how many in each. */
export const examples = (number: number) => count(1).default(number);

/** A file to use for a haystack in place of Moby-Dick. */
export const haystack = z.string("the path of a text file").min(1, "the path of a text file").optional();
