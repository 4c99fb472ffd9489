/** A tiny model and a cache folder of its own, so that tests never write into the user's. */
import { cp, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type LoadOptions, loadModel, type Model } from "../../src/index.ts";
import { fixture } from "./golden.ts";

const TOKENS = Int32Array.of(3, 1, 4, 1, 5, 9, 2, 6);

/** Of every position of a fixed prompt. */
export const logitsOf = async ({ engine }: Model): Promise<Float32Array> =>
  (await engine.prefill({ tokens: TOKENS, chunk: 8, lastQueries: 1, allLogits: true })).logits;

export type GraphStage = Awaited<ReturnType<typeof graphStage>>;

export async function graphStage(name = "tiny/llama", sharedCache?: string) {
  const root = await mkdtemp(join(tmpdir(), "pyramidkv-graphs-"));
  const model = join(root, "model");
  await cp(fixture(name), model, { recursive: true });
  const cacheDir = sharedCache ?? join(root, "cache");
  const graphs = join(cacheDir, "pyramidkv", "graphs");
  const load = (options: LoadOptions = {}) => loadModel(model, { threads: 1, cacheDir, graphCache: true, ...options });
  return {
    root,
    model,
    cacheDir,
    graphs,
    load,
    async logits(options: LoadOptions = {}) {
      using loaded = await load(options);
      return await logitsOf(loaded);
    },
    /** What lies in the cache: graphs, and what should not be left behind. */
    entries: async (): Promise<readonly string[]> => (await readdir(graphs).catch(() => [])).sort(),
    [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }),
  };
}
