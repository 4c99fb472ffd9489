/** Measurements on disk: fp32 tensors in safetensors, their provenance in its metadata. */
import { z } from "zod";
import { KvError } from "../error.ts";
import type { Model } from "../load.ts";
import { parseJson, parseWith } from "../model/open-json.ts";
import { openRangeFile } from "../model/weights/disk-file.ts";
import { readSafetensorsHeader, readSafetensorsMetadata } from "../model/weights/safetensors-header.ts";
import { bytesOf, safetensorsHeader, writeWhole } from "../model/weights/safetensors-write.ts";
import { storedWeights } from "../model/weights/stored.ts";
import type { Measured } from "../scoring/measured.ts";
import { labelled } from "./take.ts";

const FORMAT = "pyramidkv-measurement-1";

/** Metadata of safetensors are strings. */
const Metadata = z.object({
  format: z.string(),
  kind: z.string(),
  model: z.string(),
  revision: z.string(),
  weights: z.string(),
  corpus: z.string(),
  tokens: z.string().regex(/^\d+$/, "a whole number"),
  versions: z.string(),
  settings: z.string(),
});
const Versions = z.record(z.string(), z.string());
const Settings = z.record(z.string(), z.union([z.string(), z.number()]));

/** Writes a measurement. Either the whole file is there or what was there before. @throws KvError `disk_error` */
export async function saveMeasured(path: string, { kind, provenance, tensors }: Measured): Promise<void> {
  const { revision, tokens, versions, settings, ...others } = provenance;
  const metadata: z.infer<typeof Metadata> = {
    format: FORMAT,
    kind,
    ...others,
    revision: revision ?? "",
    tokens: String(tokens),
    versions: JSON.stringify(versions),
    settings: JSON.stringify(settings),
  };
  const named = Array.from(tensors, ([name, { data, dims }]) => ({ name, shape: dims, data }));
  await writeWhole(path, [safetensorsHeader(metadata, named), ...bytesOf(named)]);
}

/**
 * Reads a measurement of this kind and of this model's weights.
 *
 * @throws KvError `wrong_model`, `unsupported_format` for another kind of file, `corrupt_file`, and whatever reading a file throws
 */
export async function loadMeasured<Kind extends string>(
  model: Model,
  path: string,
  kind: Kind,
): Promise<Measured<Kind>> {
  using file = openRangeFile(path);
  const stored = storedWeights([file], readSafetensorsHeader(file));
  const described = readSafetensorsMetadata(file);
  const { success, data: metadata } = Metadata.safeParse(described);
  if (!success)
    throw new KvError({ code: "unsupported_format", path: [path], found: described, allowed: `a file of ${FORMAT}` });
  if (metadata.format !== FORMAT || metadata.kind !== kind) {
    const found = `${metadata.format}, ${metadata.kind}`;
    throw new KvError({ code: "unsupported_format", path: [path], found, allowed: `${FORMAT}, ${kind}` });
  }
  const { weights } = await model.provenance();
  if (metadata.weights !== weights) {
    const found = `measured on ${metadata.model}, weights ${metadata.weights}`;
    const hint = `measure again on ${model.id}`;
    throw new KvError({ code: "wrong_model", path: [path], found, allowed: `of the weights ${weights}`, hint });
  }
  const tensors = stored.tensors.map(({ name, shape }) => [name, { data: stored.read(name), dims: shape }] as const);
  const broken = tensors.find(([, { data }]) => !data.every(Number.isFinite));
  if (broken !== undefined)
    throw new KvError({ code: "corrupt_file", path: [path, broken[0]], found: "NaN or infinity", allowed: "numbers" });
  const { model: id, revision, corpus, tokens } = metadata;
  const json = <T extends z.ZodType>(name: "versions" | "settings", schema: T) =>
    parseWith(schema, parseJson(metadata[name], `${path}: ${name}`), "corrupt_file", `${path}: ${name}`);
  return labelled(kind, new Map(tensors), {
    model: id,
    revision: revision === "" ? null : revision,
    weights,
    corpus,
    tokens: Number(tokens),
    versions: json("versions", Versions),
    settings: json("settings", Settings),
  });
}

/** What a file's numbers break of their kind's rules is the file's fault. @throws KvError `corrupt_file` */
export function sound<Value>(path: string, make: () => Value): Value {
  try {
    return make();
  } catch (cause) {
    if (!(cause instanceof KvError)) throw cause;
    const { path: place, found, allowed } = cause;
    throw new KvError({ code: "corrupt_file", path: [path, ...place], found, allowed, cause });
  }
}
