/** What a GGUF file says about its tokenizer, and what a kind of tokenizer makes of it. */

import { z } from "zod";
import { KvError } from "../../error.ts";

const id = z.int().nonnegative().optional();

/** Not z.array, which takes 0.03 s longer for the 150,000 elements of SmolLM2's vocabulary, as it looks at each by itself (2026-11). */
const list = <T extends string | number>(isElement: (value: unknown) => value is T, elements: string) =>
  z.custom<readonly T[]>((value) => Array.isArray(value) && value.every(isElement), { error: `a list of ${elements}` });
const isString = (value: unknown): value is string => typeof value === "string";
const isNumber = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value);
const isInteger = (value: unknown): value is number => Number.isSafeInteger(value);

export const GgufVocabulary = z.object({
  model: z.string(),
  pre: z.string().default("absent"),
  tokens: list(isString, "strings").refine(({ length }) => length >= 1 && length <= 1 << 20, "1 to 1048576 tokens"),
  token_type: list(isInteger, "integers").optional(),
  scores: list(isNumber, "numbers").optional(),
  merges: list(isString, "strings").default([]),
  add_bos_token: z.boolean().optional(),
  add_space_prefix: z.boolean().optional(),
  bos_token_id: id,
  eos_token_id: id,
  unknown_token_id: id,
  padding_token_id: id,
});
export type GgufVocabulary = z.output<typeof GgufVocabulary>;

/** llama.cpp's numbers for what a token is. */
export const tokenType = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 } as const;

/** The parts of a tokenizer.json that differ between kinds of tokenizers. */
export interface TokenizerKind {
  readonly normalizer: object | null;
  readonly pre_tokenizer: object | null;
  readonly decoder: object;
  readonly model: object;
  /** Whether a text starts with the beginning-of-sequence token where the file doesn't say. */
  readonly bos: boolean;
  /** The ids of the special tokens that the file doesn't name. */
  readonly specialIds: Readonly<Partial<Record<"bos_token_id" | "eos_token_id" | "unknown_token_id", number>>>;
}

/** Not a literal: a token may be called __proto__. */
export const idsByToken = (tokens: readonly string[]): object =>
  Object.fromEntries(tokens.map((token, id) => [token, id]));

export const unsupported = (path: string, place: string, found: unknown, allowed: string): KvError =>
  new KvError({ code: "unsupported_format", path: [path, `tokenizer.ggml.${place}`], found, allowed });
