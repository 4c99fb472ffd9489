/** What every measurement does: runs a corpus through the network, sequence by sequence, and says where its numbers come from. */
import { createHash } from "node:crypto";
import type { PrefillRequest, PrefillResult } from "../engine/index.ts";
import { KvError } from "../error.ts";
import type { Model } from "../load.ts";
import { tokensOf } from "../prompt.ts";
import type { Measured, MeasuredProvenance, MeasuredSettings } from "../scoring/measured.ts";
import type { Tensor } from "../tensor.ts";

export interface MeasureOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called after each sequence with the tokens done. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  /** What else to write beside the numbers: the text or task, the seed; default nothing. */
  readonly settings?: MeasuredSettings | undefined;
}

const CHUNK = 512;

/**
 * Takes sequences one after the other, all checked before the first.
 *
 * @throws KvError `empty_prompt` without tokens, `prompt_too_long`, `invalid_token`, and what `take` throws
 */
export async function eachSequence(
  model: Model,
  sequences: readonly Int32Array[],
  { onProgress }: MeasureOptions,
  take: (tokens: Int32Array, index: number) => Promise<void>,
): Promise<void> {
  const total = tokenCount(sequences);
  if (total === 0)
    throw new KvError({ code: "empty_prompt", path: ["corpus"], found: 0, allowed: "one token or more" });
  const checked = sequences.map((sequence) => tokensOf(model, sequence));
  let done = 0;
  for (const [index, tokens] of checked.entries()) {
    await take(tokens, index);
    done += tokens.length;
    onProgress?.(done, total);
  }
}

/** Prefills each sequence on its own and gives its result to `take`. @throws KvError as `eachSequence`, and `aborted` */
export const run = (
  model: Model,
  sequences: readonly Int32Array[],
  observed: { readonly moments?: boolean; readonly allQueries?: boolean },
  take: (result: PrefillResult) => void | Promise<void>,
  options: MeasureOptions,
): Promise<void> =>
  eachSequence(model, sequences, options, async (tokens) => {
    const { moments = false, allQueries = false } = observed;
    const request: PrefillRequest = { tokens, chunk: CHUNK, moments, lastQueries: allQueries ? tokens.length : 1 };
    const { signal } = options;
    const result = await model.engine.prefill(signal === undefined ? request : { ...request, signal });
    using _ = result.entries;
    await take(result);
  });

/** A measurement of a model on these sequences. */
export async function measurementOf<Kind extends string>(
  kind: Kind,
  model: Model,
  sequences: readonly Int32Array[],
  tensors: ReadonlyMap<string, Tensor>,
  settings: MeasuredSettings = {},
): Promise<Measured<Kind>> {
  const { model: id, revision, weights, versions } = await model.provenance();
  const hash = createHash("sha256");
  for (const tokens of sequences) hash.update(bytesOf(tokens));
  const corpus = `sha256:${hash.digest("hex")}`;
  const tokens = tokenCount(sequences);
  return labelled(kind, tensors, { model: id, revision, weights, corpus, tokens, versions, settings });
}

/** A measurement under the name that records of results give it. */
export function labelled<Kind extends string>(
  kind: Kind,
  tensors: ReadonlyMap<string, Tensor>,
  provenance: MeasuredProvenance,
): Measured<Kind> {
  const hash = createHash("sha256");
  for (const [name, { data, dims }] of tensors) hash.update(`${name} ${dims}`).update(bytesOf(data));
  return { kind, label: `${kind} sha256:${hash.digest("hex")}`, provenance, tensors };
}

/** In place. */
export function addTo(total: Float64Array, part: ArrayLike<number>): void {
  for (let i = 0; i < total.length; i++) total[i] = (total[i] ?? 0) + (part[i] ?? 0);
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Int32Array | Float32Array) =>
  new Uint8Array(buffer, byteOffset, byteLength);

const tokenCount = (sequences: readonly Int32Array[]) => sequences.reduce((sum, { length }) => sum + length, 0);
