/** What a caller may say about a generation. */
import { z } from "zod";
import { type DecodingPolicy, policiesOption, policyOption } from "../decoding/policy.ts";
import { signalOption } from "../options.ts";

export interface GenerateOptions {
  /** Default 128. Fewer come if the model stops, or its context ends. */
  readonly maxNewTokens?: number | undefined;
  /** Tokens before a stop token may be chosen: until then the next best is; default 0. */
  readonly minNewTokens?: number | undefined;
  /** 0 (default) is greedy. */
  readonly temperature?: number | undefined;
  /** Draw from this many most likely tokens; 0 (default) sets no limit. */
  readonly topK?: number | undefined;
  /** Draw from the fewest tokens that reach this share of probability; 1 (default) sets no limit. */
  readonly topP?: number | undefined;
  /** Of the random draws; default 0. */
  readonly seed?: number | undefined;
  /** Tokens that end the generation and are not given; default: the model's. [] lets it run on. */
  readonly stopTokens?: readonly number[] | undefined;
  /** Texts that end the generation and are not part of it. */
  readonly stopStrings?: readonly string[] | undefined;
  /** What goes after every token taken in, such as `streamingWindow({ budget: 128 })`; default: nothing. */
  readonly evict?: DecodingPolicy | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface BatchOptions extends Omit<GenerateOptions, "evict"> {
  /** What goes after every token taken in: one policy for all caches, or for each its own or null; default: nothing. */
  readonly evict?: DecodingPolicy | readonly (DecodingPolicy | null)[] | undefined;
}

const tokenId = z.int("a token id").min(0, "a token id");
const text = z
  .string("a text")
  .min(1, "a text that is not empty")
  .refine((stop) => stop.isWellFormed(), "a text without half characters (lone surrogates)");
const natural = z.int("an integer >= 0").min(0, "an integer >= 0");
const share = "a number in (0, 1]";

export const generateSchema = z.object({
  maxNewTokens: natural.default(128),
  minNewTokens: natural.default(0),
  temperature: z.number("a finite number >= 0").min(0, "a finite number >= 0").default(0),
  topK: natural.default(0),
  topP: z.number(share).gt(0, share).max(1, share).default(1),
  seed: z.int("an integer").default(0),
  stopTokens: z.array(tokenId, "a list of token ids").optional(),
  stopStrings: z.array(text, "a list of texts").default([]),
  evict: policyOption,
  signal: signalOption,
});

export const batchSchema = generateSchema.extend({ evict: policiesOption });

/** What a caller may say about a single step. */
export const stepSchema = generateSchema.pick({ evict: true });

/** Options after validation, without what concerns a whole run. */
export type CheckedOptions = Omit<z.output<typeof generateSchema>, "signal">;
