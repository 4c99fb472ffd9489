import { KvError } from "../../error.ts";
import type { Weights } from "../weights/weights.ts";
import type { ExpectedTensor } from "./family.ts";

/**
 * Checks that every expected tensor is there in its shape, and that no layer has one that the family would leave out.
 *
 * @throws KvError `missing_tensor`, `wrong_shape`, `unsupported_architecture` (a bias, say, that the network has no place for)
 */
export function checkTensors(
  family: string,
  expected: readonly ExpectedTensor[],
  weights: Weights,
  path: string,
): void {
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
  const allowed = `left out of a ${family} model, which has no use for it`;
  throw new KvError({ code: "unsupported_architecture", path: [path, extra.name], found: extra.shape, allowed });
}

/** Old files also store RoPE's frequencies, which follow from the config. */
const isPartOfALayer = (name: string): boolean =>
  name.startsWith("model.layers.") && !name.endsWith(".rotary_emb.inv_freq");
