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
import type { ExpectedTensor, Family, GgufSource, JsonSource } from "./family.ts";
import { llama } from "./llama.ts";
import { mistral } from "./mistral.ts";

export type { ExpectedTensor, Family } from "./family.ts";

export const families: readonly Family[] = [llama, mistral];

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
export function expectedTensors(config: ModelConfig): readonly ExpectedTensor[] {
  const family = families.find(({ name }) => name === config.family);
  if (family) return family.tensors(config);
  throw unknown(
    "config",
    "family",
    config.family,
    families.map(({ name }) => name),
  );
}

/**
 * Checks that every expected tensor is there in its shape, and that no layer has one that the family would leave out.
 *
 * @throws KvError `missing_tensor`, `wrong_shape`, `unsupported_architecture` (a bias, say, that the network has no place for)
 */
export function checkTensors(config: ModelConfig, weights: Weights, path: string): void {
  const expected = expectedTensors(config);
  for (const { name, shape } of expected) {
    if (!weights.has(name)) {
      throw new KvError({
        code: "missing_tensor",
        path: [path, name],
        found: "absent",
        allowed: `of shape [${shape}]`,
      });
    }
    const found = weights.info(name).shape;
    if (found.length !== shape.length || found.some((size, i) => size !== shape[i])) {
      throw new KvError({ code: "wrong_shape", path: [path, name], found, allowed: `[${shape}], as the config says` });
    }
  }
  const names = new Set(expected.map(({ name }) => name));
  const extra = weights.tensors.find(({ name }) => isPartOfALayer(name) && !names.has(name));
  if (!extra) return;
  const allowed = `left out of a ${config.family} model, which has no use for it`;
  throw new KvError({ code: "unsupported_architecture", path: [path, extra.name], found: extra.shape, allowed });
}

/** Old files also store RoPE's frequencies, which follow from the config. */
const isPartOfALayer = (name: string): boolean =>
  name.startsWith("model.layers.") && !name.endsWith(".rotary_emb.inv_freq");

const unknown = (path: string, place: string, found: unknown, allowed: readonly string[]): KvError =>
  new KvError({
    code: "unsupported_architecture",
    path: [path, place],
    found: found ?? "absent",
    allowed: `one of ${allowed.join(", ")}`,
  });
