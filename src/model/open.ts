/** Opens a model's files: a folder as on the Hugging Face hub, or a GGUF file. Weights stay on disk until they are read. */

import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { KvError } from "../error.ts";
import type { ModelConfig } from "./config.ts";
import { configFromGguf, configFromJson, networkWeights } from "./families/index.ts";
import { readJson, readOptionalJson } from "./open-json.ts";
import { ggufTokenizer } from "./tokenizer/from-gguf.ts";
import { openTokenizer } from "./tokenizer/from-json.ts";
import type { Tokenizer } from "./tokenizer/tokenizer.ts";
import { openGguf } from "./weights/gguf.ts";
import { attempt } from "./weights/range-file.ts";
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

const configLimit = 8 << 20;

/**
 * Opens and checks a model.
 *
 * @param path a folder with config.json and model.safetensors (or its index), or with one GGUF file; or a GGUF file
 * @throws KvError `model_not_found`, `access_denied`, `corrupt_file`, `unsafe_path`, `unsupported_format`,
 *   `unsupported_architecture`, `invalid_config`, `missing_tensor`, `wrong_shape`; nothing stays open then
 */
export async function openModel(path: string): Promise<ModelFiles> {
  if (!attempt(path, () => statSync(path)).isDirectory()) {
    if (path.toLowerCase().endsWith(".gguf")) return openGgufModel(path);
    throw notAModel(path, "another kind of file");
  }
  const names = ["model.safetensors", "model.safetensors.index.json"];
  const weights = names.map((name) => join(path, name)).find((file) => existsSync(file));
  if (weights !== undefined) return openFolder(path, weights);
  const ggufs = attempt(path, () => readdirSync(path)).filter((name) => name.toLowerCase().endsWith(".gguf"));
  const [only] = ggufs;
  if (only !== undefined && ggufs.length === 1) return openGgufModel(join(path, only));
  throw notAModel(path, ggufs.length === 0 ? "without weights" : `with ${ggufs.length} GGUF files`);
}

function openFolder(folder: string, weightsPath: string): ModelFiles {
  const path = join(folder, "config.json");
  const generationPath = join(folder, "generation_config.json");
  const config = configFromJson({
    config: readJson(path, configLimit),
    generation: readOptionalJson(generationPath, configLimit),
    path,
  });
  return owning(openSafetensors(weightsPath), (stored) => {
    const weights = networkWeights(config, stored, "safetensors", weightsPath);
    const tokenizer = openTokenizer(folder);
    const others = [path, generationPath, weightsPath].filter((file) => existsSync(file));
    const files = [...new Set([...others, ...weights.files, ...(tokenizer?.files ?? [])])];
    return { config, weights, tokenizer: tokenizer?.tokenizer ?? null, files };
  });
}

function openGgufModel(path: string): ModelFiles {
  const { weights: opened, metadata } = openGguf(path);
  return owning(opened, (stored) => {
    const config = configFromGguf({ metadata, weights: stored, path });
    const weights = networkWeights(config, stored, "gguf", path);
    return { config, weights, tokenizer: ggufTokenizer(metadata, path), files: [path] };
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

const notAModel = (path: string, found: string): KvError =>
  new KvError({
    code: "model_not_found",
    path: [path],
    found,
    allowed: "a folder with model.safetensors or one GGUF file, or a GGUF file",
  });
