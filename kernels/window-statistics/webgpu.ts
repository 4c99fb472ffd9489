import { type GpuArrays, run } from "../gpu/arrays.ts";
import { causal, divisors, overScores, shapeOf, TILE } from "../gpu/attention.ts";
import { attentionShape, checkDims } from "../shapes.ts";
import { tensor } from "../tensor.ts";
import type { WindowStatistics } from "./index.ts";
import code from "./statistics.wgsl" with { type: "text" };

export const windowStatistics =
  (arrays: GpuArrays): WindowStatistics =>
  async (queries, keys, weights, visibility) => {
    const shape = attentionShape("windowStatistics", queries, keys);
    const coefficients = tensor(weights, weights.length);
    checkDims("windowStatistics", "weights", coefficients, [shape.queries]);
    const { heads, length } = shape;
    const earlier = length - shape.queries;
    const tiles = Math.ceil(length / TILE);
    using attention = causal(arrays, shape, queries, keys, visibility);
    using rows = divisors(arrays, attention);
    using each = arrays.of(coefficients, "weights");
    using sums = arrays.empty("sums", heads, earlier);
    using squares = arrays.empty("squares", heads, earlier);
    const parts = arrays.empty("entropies", heads, tiles);
    const access = ["read", "read", "write", "write", "write"] as const;
    const source = overScores(attention, { name: "windowStatistics", code, access });
    const bound = [attention.queries, attention.keys, rows, each, sums, squares, parts];
    run(arrays, source, bound, [tiles, heads], shapeOf(attention));
    const byTile = await arrays.result(parts);
    const entropies = Float32Array.from({ length: heads }, (_, head) =>
      byTile.data.subarray(head * tiles, (head + 1) * tiles).reduce((total, part) => total + part, 0),
    );
    return {
      sums: await arrays.result(sums),
      squares: await arrays.result(squares),
      entropies: tensor(entropies, heads),
    };
  };
