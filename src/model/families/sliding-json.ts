/** Which layers have a sliding window, as config.json says it: `layer_types` where there is such a list, else the family's own rule. */

import { z } from "zod";
import { KvError } from "../../error.ts";
import { parseWith } from "../open-json.ts";
import { limits, only } from "./decoder.ts";
import type { JsonSource } from "./family.ts";

const Types = z.object({ layer_types: z.array(z.string()).max(limits.layers).nullish() });
const Qwen = z.object({
  use_sliding_window: z.boolean().default(false),
  sliding_window: z.int().positive().max(limits.context).nullable().default(4096),
  max_window_layers: z.int().nonnegative().default(28),
});

/**
 * The window of each layer.
 *
 * @param slides whether a layer slides where the file has no list
 * @throws KvError `invalid_config` for a list of another length, `unsupported_architecture` for another kind of layer
 */
export function windowsFromJson(
  { config, path }: JsonSource,
  layers: number,
  window: number | null,
  slides: (layer: number) => boolean,
): readonly (number | null)[] {
  const { layer_types: types } = parseWith(Types, config, "invalid_config", path);
  if (types && types.length !== layers) {
    const allowed = `${layers} entries, one per layer`;
    throw new KvError({ code: "invalid_config", path: [path, "layer_types"], found: types.length, allowed });
  }
  for (const type of types ?? []) only(path, "layer_types", type, "full_attention", "sliding_attention");
  const sliding = types?.map((type) => type === "sliding_attention");
  return Array.from({ length: layers }, (_, layer) => ((sliding?.[layer] ?? slides(layer)) ? window : null));
}

/** Qwen's rule: none slides unless `use_sliding_window`, and then those from `max_window_layers` on. @throws as `windowsFromJson` */
export function qwenWindows(source: JsonSource, layers: number): readonly (number | null)[] {
  const json = parseWith(Qwen, source.config, "invalid_config", source.path);
  const window = json.use_sliding_window ? json.sliding_window : null;
  return windowsFromJson(source, layers, window, (layer) => layer >= json.max_window_layers);
}
