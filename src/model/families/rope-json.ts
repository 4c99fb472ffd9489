/** RoPE in config.json: `rope_theta` and `rope_scaling`, or both in the newer `rope_parameters`. */

import { z } from "zod";
import type { Rope } from "../config.ts";
import { parseWith } from "../open-json.ts";
import { limits, only } from "./decoder.ts";

const ropeBase = z.number().positive().max(limits.ropeBase);
const Kind = z.looseObject({
  rope_type: z.string().nullish(),
  type: z.string().nullish(),
  rope_theta: ropeBase.nullish(),
});

const factor = z.number().min(1).max(1024);
const Linear = z.object({ factor });
const Llama3 = z
  .object({
    factor,
    low_freq_factor: z.number().positive().max(1024),
    high_freq_factor: z.number().positive().max(1024),
    original_max_position_embeddings: z.int().positive().max(limits.context),
  })
  .refine((scaling) => scaling.high_freq_factor > scaling.low_freq_factor, {
    path: ["high_freq_factor"],
    message: "greater than low_freq_factor",
  });

/** The fields of config.json that `ropeFromJson` reads. */
export const ropeJson = {
  rope_theta: ropeBase.nullish(),
  rope_scaling: Kind.nullish(),
  rope_parameters: Kind.nullish(),
};

const RopeJson = z.object(ropeJson);

/**
 * @param theta the base where the file has none
 * @throws KvError `unsupported_architecture` for a kind of scaling other than linear and llama3 (YaRN, LongRoPE), `invalid_config`
 */
export function ropeFromJson(json: z.output<typeof RopeJson>, path: string, theta = 10_000): Rope {
  const field = json.rope_parameters ? "rope_parameters" : "rope_scaling";
  const given = json[field] ?? {};
  const kind = given.rope_type ?? given.type ?? "default";
  const base = given.rope_theta ?? json.rope_theta ?? theta;
  if (kind === "default") return { theta: base, scaling: null };
  if (kind === "linear") {
    const { factor } = parseWith(Linear, given, "invalid_config", `${path}: ${field}`);
    return { theta: base, scaling: { type: "linear", factor } };
  }
  only(path, field, kind, "default", "linear", "llama3");
  const scaling = parseWith(Llama3, given, "invalid_config", `${path}: ${field}`);
  return {
    theta: base,
    scaling: {
      type: "llama3",
      factor: scaling.factor,
      lowFreqFactor: scaling.low_freq_factor,
      highFreqFactor: scaling.high_freq_factor,
      originalContextLength: scaling.original_max_position_embeddings,
    },
  };
}
