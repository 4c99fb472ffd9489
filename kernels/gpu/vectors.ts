/** One number for each vector, by itself or against another one of its head. */
import { type GpuArrays, type GpuTensor, grid, MOST_GROUPS, parameters, run } from "./arrays.ts";
import code from "./vectors.wgsl" with { type: "text" };

/** What is added up over the parts of a vector, four numbers at a time, and what it makes. */
export interface VectorSum {
  readonly name: string;
  /** WGSL's type of a sum. */
  readonly sums: "f32" | "vec3f";
  /** WGSL's bodies of term(x: vec4f, y: vec4f), a part of the vector and one of the other, and of finish(total). */
  readonly term: string;
  readonly finish: string;
}

/** What vectors that have a length are multiplied with to have the length 1; 0 where there is none. */
export const INVERSE_LENGTH: VectorSum = {
  name: "inverse lengths",
  sums: "f32",
  term: "return dot(x, x);",
  finish: "return select(0.0, 1.0 / sqrt(total), total > 0.0);",
};

/**
 * Vectors [KH, n, d] -> [R, n].
 *
 * @param others [R, d] that those of KV head floor(r / G) are held against, R = KH * G; default: none, and R = KH
 */
export function eachVector(
  arrays: GpuArrays,
  { name, sums, term, finish }: VectorSum,
  vectors: GpuTensor,
  others?: GpuTensor,
): GpuTensor {
  const [kvHeads = 0, length = 0, size = 0] = vectors.dims;
  const [rows = 0] = others?.dims ?? [kvHeads];
  const out = arrays.empty(name, rows, length);
  const hooks = [
    `alias Sums = ${sums};`,
    `fn term(x: vec4f, y: vec4f) -> Sums { ${term} }`,
    `fn finish(total: Sums) -> f32 { ${finish} }`,
  ];
  run(
    arrays,
    {
      name,
      code: [...hooks, code].join("\n"),
      access: ["read", "read", "write"],
      constants: { MOST_GROUPS },
      parameters: true,
    },
    [vectors, others ?? vectors, out], // what stands in for others is not looked at
    grid(rows * length, 32),
    parameters(rows * length, length, rows / kvHeads, Math.ceil(size / 4)),
  );
  return out;
}
