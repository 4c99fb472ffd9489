/** A network's weights at random, made as they are read: a model of any size without a file, of which one matrix is in memory at a time. */
import { KvError } from "../../src/error.ts";
import type { ModelConfig } from "../../src/model/config.ts";
import { decoderTensors } from "../../src/model/families/decoder.ts";
import type { Weights } from "../../src/model/weights/weights.ts";
import { type RandomMatrix, randomMatrix } from "./random-matrix.ts";

/** How matrices lie on the device: the same numbers, to what the type can hold. */
export type StoredAs = "Q4_0" | "F16" | "F32";

/** Norms are 1. Equal seeds give equal weights. */
export function randomWeights(config: ModelConfig, seed: number, type: StoredAs = "Q4_0"): Weights {
  const shapes = new Map(decoderTensors(config).map(({ name, shape }, i) => [name, { shape, seed: seed + i }]));
  const found = (name: string) => {
    const tensor = shapes.get(name);
    if (tensor !== undefined) return tensor;
    throw new KvError({
      code: "missing_tensor",
      path: ["random weights"],
      found: name,
      allowed: "one of the network's",
    });
  };
  const matrix = (name: string): RandomMatrix | null => {
    const { shape, seed: own } = found(name);
    const [rows = 0, columns] = shape;
    return columns === undefined ? null : randomMatrix(rows, columns, own);
  };
  const info = (name: string) => {
    const { shape } = found(name);
    return { name, shape, type: shape.length === 2 ? type : ("F32" as const) };
  };
  return {
    tensors: [...shapes.keys()].map(info),
    files: [],
    has: (name) => shapes.has(name),
    info,
    read(name, into) {
      const { rows, readRows } = matrix(name) ?? {};
      const numbers =
        rows === undefined || readRows === undefined
          ? new Float32Array(found(name).shape[0] ?? 0).fill(1)
          : readRows(Array.from({ length: rows }, (_, row) => row));
      if (into === undefined) return numbers;
      into.set(numbers);
      return into;
    },
    readRows: (name, rows) => matrix(name)?.readRows(rows) ?? new Float32Array(rows.length).fill(1),
    quantised: (name) => (type === "Q4_0" ? (matrix(name)?.quantised ?? null) : null),
    split: () => {
      throw new KvError({
        code: "missing_tensor",
        path: ["random weights"],
        found: "split",
        allowed: "unfused tensors",
      });
    },
    identity: () => null,
    sha256: async () => `random-${type}-${seed}`,
    [Symbol.dispose]: () => undefined,
  };
}
