/** What every measurement does: runs a corpus through the network, sequence by sequence, and says where its numbers come from. */
import { createHash } from "node:crypto";
import type { PrefillResult } from "../engine/index.ts";
import { KvError } from "../error.ts";
import type { Model } from "../load.ts";
import { tokensOf } from "../prompt.ts";
import type { Measured, MeasuredProvenance } from "../scoring/measured.ts";
import type { Tensor } from "../tensor.ts";

export interface MeasureOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called after each sequence with the tokens done. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

const CHUNK = 512;

/**
 * Runs sequences, each on its own, and gives each one's result to `take`.
 *
 * @throws KvError `empty_prompt` without tokens, `prompt_too_long`, `invalid_token`, `aborted`
 */
export async function run(
  model: Model,
  sequences: readonly Int32Array[],
  observed: { readonly moments?: boolean; readonly allQueries?: boolean },
  take: (result: PrefillResult) => void | Promise<void>,
  { signal, onProgress }: MeasureOptions,
): Promise<void> {
  const total = tokenCount(sequences);
  if (total === 0)
    throw new KvError({ code: "empty_prompt", path: ["corpus"], found: 0, allowed: "one token or more" });
  const checked = sequences.map((sequence) => tokensOf(model, sequence));
  const { moments = false, allQueries = false } = observed;
  let done = 0;
  for (const tokens of checked) {
    const request = { tokens, chunk: CHUNK, moments, lastQueries: allQueries ? tokens.length : 1 };
    await take(await model.engine.prefill(signal === undefined ? request : { ...request, signal }));
    done += tokens.length;
    onProgress?.(done, total);
  }
}

/** A measurement of a model on these sequences. */
export async function measurementOf<Kind extends string>(
  kind: Kind,
  model: Model,
  sequences: readonly Int32Array[],
  tensors: ReadonlyMap<string, Tensor>,
): Promise<Measured<Kind>> {
  const { model: id, revision, weights, versions } = await model.provenance();
  const corpus = createHash("sha256");
  for (const tokens of sequences) corpus.update(bytesOf(tokens));
  const tokens = tokenCount(sequences);
  return labelled(kind, tensors, {
    model: id,
    revision,
    weights,
    corpus: `sha256:${corpus.digest("hex")}`,
    tokens,
    versions,
  });
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
