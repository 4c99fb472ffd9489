/** A loaded model: its files, with an engine that runs it. */
import type { Engine } from "./engine/index.ts";
import type { KvError } from "./error.ts";
import type { ModelConfig } from "./model/config.ts";
import type { ModelFiles } from "./model/files.ts";
import type { Tokenizer } from "./model/tokenizer/tokenizer.ts";
import { runtime } from "./runtime.ts";
import { version } from "./version.ts";

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

/** What a model's caches carry, so that no other model decodes on them: its id, at its revision. */
export const identityOf = ({ id, revision }: Pick<Model, "id" | "revision">): string =>
  revision === null ? id : `${id}@${revision}`;

export interface LoadedParts extends Pick<Model, "id" | "revision" | "engine" | "fallback"> {
  readonly files: ModelFiles;
  /** Of the engine, inside one operator. */
  readonly threads: number;
}

/** The model owns its engine, which owns the weights: all that is open of the files. */
export function loaded({ id, revision, files, engine, fallback = null, threads }: LoadedParts): Model {
  const { config, tokenizer, weights } = files;
  return {
    id,
    revision,
    config,
    engine,
    fallback,
    tokenizer,
    async provenance() {
      return {
        model: id,
        revision,
        weights: `sha256:${await weights.sha256()}`,
        engine: engine.name,
        precision: engine.precision,
        threads,
        versions: {
          pyramidkv: version,
          [engine.name.split("/")[0] ?? engine.name]: engine.version,
          [runtime.name]: runtime.version,
        },
      };
    },
    [Symbol.dispose]: () => engine[Symbol.dispose](),
  };
}
