/**
 * The model families: which network a file's weights belong to.
 *
 * A new family is one file beside this and one entry in `families`. It promises a ModelConfig that has been checked field
 * by field, and the names and shapes of every tensor the engine will read.
 */

import { z } from "zod";
import { KvError } from "../../error.ts";
import type { ModelConfig } from "../config.ts";
import { parseWith } from "../open-json.ts";
import type { Weights } from "../weights/weights.ts";
import { checkTensors } from "./check.ts";
import type { ExpectedTensor, Family, GgufSource, JsonSource, WeightFormat } from "./family.ts";
import { gemma3 } from "./gemma3.ts";
import { llama } from "./llama.ts";
import { mistral } from "./mistral.ts";
import { phi3 } from "./phi3.ts";
import { qwen2 } from "./qwen2.ts";
import { qwen3 } from "./qwen3.ts";

export type { ExpectedTensor, Family } from "./family.ts";

export const families: readonly Family[] = [llama, mistral, qwen2, qwen3, phi3, gemma3];

const Recognised = z.object({ architectures: z.array(z.string()).nullish(), model_type: z.string().nullish() });

/** @throws KvError `unsupported_architecture`, `invalid_config` */
export function configFromJson(source: JsonSource): ModelConfig {
  const { architectures, model_type: type } = parseWith(Recognised, source.config, "invalid_config", source.path);
  const named = architectures?.[0];
  const family = families.find((family) =>
    named === undefined ? family.modelType === type : family.architectures.includes(named),
  );
  if (family) return family.fromJson(source);
  throw unknown(
    source.path,
    "architectures",
    named ?? type,
    families.flatMap((family) => family.architectures),
  );
}

/** @throws KvError `unsupported_architecture`, `invalid_config` */
export function configFromGguf(source: GgufSource): ModelConfig {
  const named = source.metadata.get("general.architecture");
  const family = families.find(({ ggufArchitecture }) => ggufArchitecture !== null && ggufArchitecture === named);
  if (family) return family.fromGguf(source);
  const allowed = families.flatMap(({ ggufArchitecture }) => ggufArchitecture ?? []);
  throw unknown(source.path, "general.architecture", named, allowed);
}

/** Names and shapes of the tensors that `config`'s network reads. */
export const expectedTensors = (config: ModelConfig): readonly ExpectedTensor[] => familyOf(config).tensors(config);

/**
 * What a model's files hold as its network reads it, checked: every expected tensor is there in its shape, and no layer has one that
 * the network would leave out.
 *
 * @param path the weights' file, for messages
 * @throws KvError `missing_tensor`, `wrong_shape`, `unsupported_architecture`
 */
export function networkWeights(config: ModelConfig, stored: Weights, format: WeightFormat, path: string): Weights {
  const family = familyOf(config);
  const weights = family.stored?.(stored, config, format) ?? stored;
  checkTensors(family.name, family.tensors(config), weights, path);
  return weights;
}

function familyOf(config: ModelConfig): Family {
  const family = families.find(({ name }) => name === config.family);
  if (family) return family;
  throw unknown(
    "config",
    "family",
    config.family,
    families.map(({ name }) => name),
  );
}

const unknown = (path: string, place: string, found: unknown, allowed: readonly string[]): KvError =>
  new KvError({
    code: "unsupported_architecture",
    path: [path, place],
    found: found ?? "absent",
    allowed: `one of ${allowed.join(", ")}`,
  });
