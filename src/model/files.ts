/** Opens a model's files, wherever they lie: a folder as on the Hugging Face Hub, or a GGUF file. Weights are read when they are asked for. */
import { KvError } from "../error.ts";
import type { ModelConfig } from "./config.ts";
import { configFromGguf, configFromJson, networkWeights } from "./families/index.ts";
import type { ModelFolder } from "./folder.ts";
import { readJson, readOptionalJson } from "./open-json.ts";
import { ggufTokenizer } from "./tokenizer/from-gguf.ts";
import { openTokenizer } from "./tokenizer/from-json.ts";
import type { Tokenizer } from "./tokenizer/tokenizer.ts";
import { openGguf } from "./weights/gguf.ts";
import type { RangeFile } from "./weights/range-file.ts";
import { openSafetensors } from "./weights/safetensors.ts";
import type { Weights } from "./weights/weights.ts";

export interface ModelFiles extends Disposable {
  readonly config: ModelConfig;
  /** Every tensor that `expectedTensors(config)` names is there, in its shape. */
  readonly weights: Weights;
  /** null where the files have none. */
  readonly tokenizer: Tokenizer | null;
  /** Every file that was opened. */
  readonly files: readonly string[];
}

const CONFIG = "config.json";
const GENERATION = "generation_config.json";
const WEIGHTS = ["model.safetensors", "model.safetensors.index.json"];
const configLimit = 8 << 20;

/**
 * Opens and checks a model.
 *
 * @param folder with config.json and model.safetensors (or its index), or with one GGUF file
 * @throws KvError `model_not_found`, `access_denied`, `corrupt_file`, `unsafe_path`, `unsupported_format`,
 *   `unsupported_architecture`, `invalid_config`, `missing_tensor`, `wrong_shape`; nothing stays open then
 */
export function openModelFolder(folder: ModelFolder): ModelFiles {
  const weights = WEIGHTS.find((name) => folder.has(name));
  if (weights !== undefined) return openHubFiles(folder, weights);
  const ggufs = folder.names().filter(isGguf);
  const [only] = ggufs;
  if (only !== undefined && ggufs.length === 1) return openGgufModel(folder.open(only));
  throw notAModel(folder.path, ggufs.length === 0 ? "without weights" : `with ${ggufs.length} GGUF files`);
}

/** Owns the file. @throws KvError as `openModelFolder` does */
export function openGgufModel(file: RangeFile): ModelFiles {
  const { path } = file;
  const { weights: opened, metadata } = openGguf(file);
  return owning(opened, (stored) => {
    const config = configFromGguf({ metadata, weights: stored, path });
    const weights = networkWeights(config, stored, "gguf", path);
    return { config, weights, tokenizer: ggufTokenizer(metadata, path), files: [path] };
  });
}

function openHubFiles(folder: ModelFolder, weightsName: string): ModelFiles {
  const config = configFromJson({
    config: readJson(folder, CONFIG, configLimit),
    generation: readOptionalJson(folder, GENERATION, configLimit),
    path: folder.pathOf(CONFIG),
  });
  return owning(openSafetensors(folder, weightsName), (stored) => {
    const weights = networkWeights(config, stored, "safetensors", folder.pathOf(weightsName));
    const tokenizer = openTokenizer(folder);
    const others = [CONFIG, GENERATION, weightsName].filter((name) => folder.has(name)).map(folder.pathOf);
    const files = [...new Set([...others, ...weights.files, ...(tokenizer?.files ?? [])])];
    return { config, weights, tokenizer: tokenizer?.tokenizer ?? null, files };
  });
}

/** Makes the model's files from weights that are closed with them, or at a failure on the way. */
function owning(weights: Weights, make: (weights: Weights) => Omit<ModelFiles, keyof Disposable>): ModelFiles {
  try {
    return { ...make(weights), [Symbol.dispose]: () => weights[Symbol.dispose]() };
  } catch (error) {
    weights[Symbol.dispose]();
    throw error;
  }
}

export const isGguf = (name: string): boolean => name.toLowerCase().endsWith(".gguf");

export const notAModel = (path: string, found: string): KvError =>
  new KvError({
    code: "model_not_found",
    path: [path],
    found,
    allowed: "a folder with model.safetensors or one GGUF file, or a GGUF file",
  });
