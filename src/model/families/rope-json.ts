/** RoPE in config.json: `rope_theta` and `rope_scaling`, or both in the newer `rope_parameters`. */

import { z } from "zod";
import { KvError } from "../../error.ts";
import type { ModelConfig } from "../config.ts";
import { parseWith } from "../open-json.ts";
import { limits } from "./decoder.ts";

const theta = z.number().positive().max(1e12);
const Kind = z.looseObject({
  rope_type: z.string().nullish(),
  type: z.string().nullish(),
  rope_theta: theta.nullish(),
});

const Llama3 = z
  .object({
    factor: z.number().min(1).max(1024),
    low_freq_factor: z.number().positive().max(1024),
    high_freq_factor: z.number().positive().max(1024),
    original_max_position_embeddings: z.int().positive().max(limits.context),
  })
  .refine((scaling) => scaling.high_freq_factor > scaling.low_freq_factor, {
    path: ["high_freq_factor"],
    message: "greater than low_freq_factor",
  });

/** The fields of config.json that `ropeFromJson` reads. */
export const ropeJson = { rope_theta: theta.nullish(), rope_scaling: Kind.nullish(), rope_parameters: Kind.nullish() };

const Rope = z.object(ropeJson);

/** @throws KvError `unsupported_architecture` for a kind of scaling other than llama3, `invalid_config` */
export function ropeFromJson(json: z.output<typeof Rope>, path: string): ModelConfig["rope"] {
  const field = json.rope_parameters ? "rope_parameters" : "rope_scaling";
  const given = json[field] ?? {};
  const kind = given.rope_type ?? given.type ?? "default";
  const base = given.rope_theta ?? json.rope_theta ?? 10_000;
  if (kind === "default") return { theta: base, scaling: null };
  if (kind !== "llama3") {
    const allowed = "default or llama3";
    throw new KvError({ code: "unsupported_architecture", path: [path, field, "rope_type"], found: kind, allowed });
  }
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
