/**
 * A cache as a safetensors file: exactly the entries it holds, head after head, and what they are.
 *
 *   keys.l, values.l [entries, d]   positions.l [entries], as fp32, which is exact below 2^24
 *   tail [T, L * 2 * KH * d]        logits [vocab]
 *   origins.l [kept], as fp32, where positions are packed: what each head kept of the prompt, by its place in it
 *
 * `__metadata__` holds strings: `format`, `cache` (how to read the tensors), `provenance` and `method` as JSON, and `sha256`: the
 * hash of the whole file with zeros in that hash's place, so that no changed bit goes unnoticed.
 */
import { z } from "zod";

export const FORMAT = "pyramidkv cache 1";
export const NO_HASH = "0".repeat(64);

const count = z.int("a count").min(0, "a count");

export const savedShape = z.object({
  /** Identity of the model that made it, at that time. */
  model: z.string(),
  layers: count,
  kvHeads: count,
  headDim: count,
  /** The position of the next token. */
  length: count,
  /** Entries of each KV head of each layer. */
  counts: z.array(z.array(count)),
  /** Tokens that came since the last eviction, kept by every head. */
  tail: count,
  /** Where positions are packed: tokens of the prompt, the position that followed them, and how much of them each head kept. */
  packed: z.object({ prompt: count, next: count, counts: z.array(z.array(count)) }).optional(),
});

/** How to read the tensors. */
export type SavedShape = z.output<typeof savedShape>;

export const savedProvenance = z.object({
  model: z.string(),
  revision: z.string().nullable(),
  weights: z.string(),
  engine: z.string(),
  precision: z.string(),
  threads: z.number(),
  versions: z.record(z.string(), z.string()),
});

export const savedMethod = z
  .object({ name: z.string(), budget: z.number().nullable(), options: z.record(z.string(), z.unknown()) })
  .nullable();

/** The method that chose the entries; a budget of null kept everything. */
export type SavedMethod = z.output<typeof savedMethod>;

export type SavedProvenance = z.output<typeof savedProvenance>;

/** What a file says of the cache in it. */
export interface SavedCache {
  readonly shape: SavedShape;
  readonly provenance: SavedProvenance;
  readonly method: SavedMethod;
}
