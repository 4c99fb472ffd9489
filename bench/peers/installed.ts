/** Which peers are here: each one's command, or why it is absent. */
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import type { Precision } from "../../src/index.ts";
import { start, type Worker } from "./worker.ts";

/** "fast" is ours at the fast precision. */
export type PeerName = "ours" | "fast" | "q4_0" | "q4_1" | "kvpress";

export interface Peers extends AsyncDisposable {
  readonly workers: ReadonlyMap<PeerName, Worker>;
  /** Why, by name. */
  readonly absent: ReadonlyMap<PeerName, string>;
}

export const TITLES: Record<PeerName, string> = {
  ours: "pyramidkv",
  fast: "pyramidkv fast",
  q4_0: "llama.cpp Q4_0",
  q4_1: "llama.cpp Q4_1",
  kvpress: "kvpress",
};

/** What rows call our precisions. */
export const NAMES = { ours: "fp32", fast: "fast" } as const;

const peersFolder = process.env.PYRAMIDKV_PEERS ?? join(homedir(), ".cache/pyramidkv-peers");
const own = (worker: string, model: string | undefined): readonly string[] => [
  process.execPath,
  join(import.meta.dir, worker),
  ...(model === undefined ? [] : [model]),
];
/** Ours, on the default model or another. */
export const ourCommand = (model?: string, precision: Precision = "fp32") => [
  ...own("our-worker.ts", model),
  `--precision=${precision}`,
];
export const limitCommand = (model?: string) => own("limit-worker.ts", model);

const at = (path: string) => join(peersFolder, path);
const llama = [process.execPath, join(import.meta.dir, "llama-worker.ts")];
const library = at("node/node_modules/node-llama-cpp/package.json");
/** A peer's files, without which it is absent, and what starts it. */
export interface Installation {
  readonly needs: readonly string[];
  readonly command: readonly string[];
}
export type Installations = Readonly<Record<Exclude<PeerName, "ours" | "fast">, Installation>>;

/** Where install.sh puts them. */
export const INSTALLED: Installations = {
  q4_0: { needs: [library, at("models/q4_0.gguf")], command: [...llama, at("models/q4_0.gguf")] },
  q4_1: { needs: [library, at("models/original.gguf")], command: [...llama, at("models/original.gguf")] },
  kvpress: {
    needs: [at("venv/bin/python"), at("models/transformers/model.safetensors")],
    command: [at("venv/bin/python"), join(import.meta.dir, "kvpress_worker.py"), at("models/transformers")],
  },
};

export interface StartOptions {
  readonly threads: number;
  /** Left out, by name. */
  readonly without?: readonly string[];
  /** Ours; default: the default model. */
  readonly model?: string | undefined;
  readonly installations?: Installations;
}

/** Starts everyone who is installed; a peer that does not start is as absent as one that is not there. */
export async function startPeers({
  threads,
  without = [],
  model,
  installations = INSTALLED,
}: StartOptions): Promise<Peers> {
  const workers = new Map<PeerName, Worker>([["ours", await start(ourCommand(model), threads)]]);
  const absent = new Map<PeerName, string>();
  const all = { fast: { needs: [], command: ourCommand(model, "fast") }, ...installations };
  for (const name of ["fast", "q4_0", "q4_1", "kvpress"] as const) {
    const { needs, command } = all[name];
    if (without.includes(name)) {
      absent.set(name, "left out");
      continue;
    }
    const missing = needs.find((path) => !existsSync(path));
    if (missing !== undefined) {
      absent.set(name, `${missing} is missing`);
      continue;
    }
    try {
      workers.set(name, await start(command, threads));
    } catch (error) {
      absent.set(name, String(error));
    }
  }
  return {
    workers,
    absent,
    async [Symbol.asyncDispose]() {
      for (const worker of workers.values()) await worker[Symbol.asyncDispose]();
    },
  };
}
