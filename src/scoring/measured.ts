/** What was measured of a model on a corpus, for methods that need it: numbers by layer. `src/measured` measures, saves and loads it. */
import { KvError } from "../error.ts";
import type { Tensor } from "../tensor.ts";

/** Where measured numbers come from. */
export interface MeasuredProvenance {
  readonly model: string;
  readonly revision: string | null;
  /** SHA-256 of the model's weights: they are of no use to others. */
  readonly weights: string;
  /** SHA-256 of the corpus. */
  readonly corpus: string;
  /** Tokens that were run. */
  readonly tokens: number;
  readonly versions: Readonly<Record<string, string>>;
  /** How it was measured, in words and numbers: the text or task, the method, the seed. */
  readonly settings: MeasuredSettings;
}

export type MeasuredSettings = Readonly<Record<string, string | number>>;

export interface Measured<Kind extends string = string> {
  readonly kind: Kind;
  /** What records of results call it: kind and hash. */
  readonly label: string;
  readonly provenance: MeasuredProvenance;
  readonly tensors: ReadonlyMap<string, Tensor>;
}

/** Whether a value is a measurement of this kind. */
export const isMeasured = <Kind extends string>(kind: Kind, value: unknown): value is Measured<Kind> =>
  typeof value === "object" && value !== null && "kind" in value && value.kind === kind && "tensors" in value;

/**
 * One layer's part of a tensor whose first dimension is the model's layers.
 *
 * @param dims what it must be
 * @throws KvError `wrong_shape` where it was measured on a model of another shape
 */
export function measuredLayer(
  { kind, tensors }: Measured,
  name: string,
  layer: number,
  dims: readonly number[],
): Float32Array {
  const { data, dims: found } = tensors.get(name) ?? { data: new Float32Array(0), dims: [] };
  const size = dims.reduce((product, dim) => product * dim, 1);
  const fits = layer < (found[0] ?? 0) && String(found.slice(1)) === String(dims);
  if (fits) return data.subarray(layer * size, (layer + 1) * size);
  const allowed = `[layers > ${layer}, ${dims.join(", ")}], as this model has`;
  throw new KvError({ code: "wrong_shape", path: [kind, name], found, allowed });
}
