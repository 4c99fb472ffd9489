import { type GpuArrays, parameters } from "../gpu/arrays.ts";
import type { Rotate } from "./index.ts";
import code from "./rotate.wgsl" with { type: "text" };

export interface RotateShape {
  readonly queryHeads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly normEpsilon: number;
  /** What queries are multiplied with before RoPE. */
  readonly queryScale: number;
}

const NOWHERE = 2 ** 32 - 1;

export function rotate({ gpu }: GpuArrays, shape: RotateShape): Rotate {
  const { queryHeads, kvHeads, headDim, normEpsilon, queryScale } = shape;
  const access = ["read", "read", "read", "read", "write", "write", "write", "write"] as const;
  const program = gpu.program({ name: "rotate", code, access, parameters: true });
  return ({ joint, norms, table, positions }, { queries, before, keys, values, firstEntry }) => {
    const [rows = 0] = joint.dims;
    const places = [before.first ?? NOWHERE, firstEntry];
    const numbers = [{ float: normEpsilon }, { float: queryScale }];
    const fields = parameters(queryHeads, kvHeads, rows, headDim / 2, norms === null ? 0 : 1, ...places, ...numbers);
    // The table stands for norms that are not there: an array may be bound twice where it is only read.
    const bound = [joint, norms ?? table, table, positions, queries, before.array, keys, values];
    gpu.dispatch(
      program,
      bound.map(({ block }) => block),
      [queryHeads + 2 * kvHeads, rows],
      fields,
    );
  };
}
