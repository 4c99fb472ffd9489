/** What the tests of this folder share: a folder that goes away, short waits, and faults as values. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KvError } from "../../src/error.ts";
import { resolveModel, type SourceOptions } from "../../src/model/source/index.ts";
import { type HubFile, type HubServer, large, noise, small, startHub } from "../support/hub-server.ts";

export async function temporaryFolder() {
  const path = await mkdtemp(join(tmpdir(), "pyramidkv-source-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

export const PATIENCE = { connect: 3_000, stall: 3_000, backoff: 5, retryAfter: 300, attempts: 4 };

export const WEIGHTS = "model.safetensors";
export const SIZE = 1_500_000;

/** A model as most are, and files of it that nobody needs. */
export const plainModel = (): Record<string, HubFile> => ({
  "README.md": small("# model"),
  "config.json": small('{"model_type":"llama"}'),
  "onnx/model.onnx": large(noise(1_000, 7)),
  "pytorch_model.bin": large(noise(1_000, 8)),
  "tokenizer.json": small('{"version":"1.0"}'),
  [WEIGHTS]: large(noise(SIZE)),
});

/** A Hub with one model, an empty cache, and a call that resolves the one into the other. */
export async function stage(files: Record<string, HubFile> = plainModel(), id = "owner/model") {
  const [hub, cache] = await Promise.all([startHub(id, files), temporaryFolder()]);
  const options: SourceOptions = { hubUrl: hub.url, cacheDir: cache.path, patience: PATIENCE };
  const resolve = (more: SourceOptions = {}, ref = id) => resolveModel(ref, { ...options, ...more });
  return {
    hub,
    cacheDir: cache.path,
    repo: join(cache.path, "models--owner--model"),
    options,
    resolve,
    [Symbol.asyncDispose]: async () => {
      await hub[Symbol.asyncDispose]();
      await cache[Symbol.asyncDispose]();
    },
  };
}

/** The KvError that a call ends in; anything else fails the test. */
export async function faultOf(call: Promise<unknown>): Promise<KvError> {
  const outcome = await call.then(
    (value: unknown) => new Error(`it worked: ${JSON.stringify(value)}`),
    (thrown: unknown) => thrown,
  );
  if (outcome instanceof KvError) return outcome;
  throw outcome;
}

/** Requests for contents, without the one-byte questions for a file's size. */
export const contentRequests = (hub: HubServer, path = WEIGHTS) =>
  hub.requests.filter(({ url, range, origin }) => url.endsWith(path) && range !== "bytes=0-0" && origin === "cdn");
