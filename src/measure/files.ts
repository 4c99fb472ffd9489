/** Measurements as files: JSON that says what it was measured with, so that no other model reads it. */
import { randomUUID } from "node:crypto";
import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { z } from "zod";
import { type BudgetCurves, budgetCurves } from "../allocation/budget-curves.ts";
import { type HeadScores, headScores } from "../allocation/head-scores.ts";
import { KvError } from "../error.ts";
import type { Model, Provenance } from "../load.ts";

/** What the measurement was made of, in words and numbers: the task, how many prompts, their lengths, the seed. */
export type MeasuredWith = Readonly<Record<string, string | number>>;

/** More would be no table of a model's heads. */
const LARGEST = 64 * 2 ** 20;

const table = z.array(z.array(z.number()));
const fileOf = <Values extends z.ZodType>(format: string, values: Values) =>
  z.object({
    format: z.literal(format),
    label: z.string(),
    with: z.record(z.string(), z.union([z.string(), z.number()])),
    provenance: z.looseObject({ model: z.string(), weights: z.string() }),
    values,
  });
const headsFile = fileOf("pyramidkv/heads", table);
const curvesFile = fileOf("pyramidkv/curves", z.array(table));

/** Writes head scores. Either the whole file is there or what was there before. @throws KvError `disk_error` */
export async function saveHeads(
  model: Model,
  { label, values }: HeadScores,
  path: string,
  measured: MeasuredWith = {},
): Promise<void> {
  await writeWhole(path, {
    format: "pyramidkv/heads",
    label,
    with: measured,
    provenance: await model.provenance(),
    values,
  });
}

/** As `saveHeads`, of curves. @throws KvError `disk_error` */
export async function saveCurves(
  model: Model,
  { label, tables }: BudgetCurves,
  path: string,
  measured: MeasuredWith = {},
): Promise<void> {
  await writeWhole(path, {
    format: "pyramidkv/curves",
    label,
    with: measured,
    provenance: await model.provenance(),
    values: tables,
  });
}

/**
 * Head scores from a file of `saveHeads`.
 *
 * @throws KvError `wrong_model` for those of other weights, `disk_error` where it cannot be read, `corrupt_file` where it is no such file
 */
export async function loadHeads(model: Model, path: string): Promise<HeadScores> {
  const { label, values } = await read(model, path, headsFile);
  return made(path, () => headScores(values, label));
}

/** As `loadHeads`, of curves. @throws KvError `wrong_model`, `disk_error`, `corrupt_file` */
export async function loadCurves(model: Model, path: string): Promise<BudgetCurves> {
  const { label, values } = await read(model, path, curvesFile);
  return made(path, () => budgetCurves(values, label));
}

async function read<File extends z.ZodType<{ provenance: Pick<Provenance, "model" | "weights"> }>>(
  model: Model,
  path: string,
  schema: File,
): Promise<z.output<File>> {
  const text = await onDisk(path, () => readFile(path, "utf8"));
  const result = schema.safeParse(text.length > LARGEST ? null : jsonOf(text, path));
  if (!result.success) throw corrupt(path, result.error.issues[0]?.path.join(".") ?? "");
  const { provenance } = result.data;
  const { model: id, weights } = await model.provenance();
  if (provenance.weights === weights) return result.data;
  const [found, allowed] = [provenance, { model: id, weights }].map((one) => `${one.model} (weights ${one.weights})`);
  throw new KvError({ code: "wrong_model", path: [path], found, allowed: `measured on the model in use, ${allowed}` });
}

function jsonOf(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw corrupt(path, "", cause);
  }
}

/** What the values break of their own rules is the file's fault. */
function made<Measured>(path: string, make: () => Measured): Measured {
  try {
    return make();
  } catch (cause) {
    throw corrupt(path, cause instanceof KvError ? cause.message : "", cause);
  }
}

function corrupt(path: string, where: string, cause?: unknown): KvError {
  const found = where === "" ? "something else" : `wrong at ${where}`;
  return new KvError({
    code: "corrupt_file",
    path: [path],
    found,
    allowed: "a file of `bun run measure`",
    cause,
  });
}

/** Beside it first, under a name of this call alone; then into place. */
async function writeWhole(path: string, content: object): Promise<void> {
  const fresh = `${path}.${randomUUID().slice(0, 8)}.tmp`;
  await onDisk(path, async () => {
    await writeFile(fresh, `${JSON.stringify(content)}\n`);
    await rename(fresh, path);
  }).finally(() => rm(fresh, { force: true }).catch(() => undefined));
}

async function onDisk<Value>(path: string, use: () => Promise<Value>): Promise<Value> {
  try {
    return await use();
  } catch (cause) {
    const found = cause instanceof Error ? cause.message : String(cause);
    throw new KvError({ code: "disk_error", path: [path], found, allowed: "a file that can be used", cause });
  }
}
