/** The answer of this folder: where a model's files are on this machine, and where they came from. */
export interface ModelLocation {
  /** A folder with config.json and safetensors, or a .gguf file. */
  readonly path: string;
  /** The Hub id; for local files, the path. */
  readonly id: string;
  /** The Hub commit (40 hex digits); null where there is none. */
  readonly revision: string | null;
  readonly origin: "local" | "cache" | "hub" | "wheel";
}
