import type { Kernels } from "../../kernels/index.ts";
import type { ModelConfig } from "../model/config.ts";
import type { QueryMoments } from "../observation.ts";
import { SINKS } from "./index.ts";

interface Totals extends QueryMoments {
  count: number;
}

/** Adds up each layer's queries before RoPE, chunk by chunk; fp64 over chunks, fp32 within one. */
export class QueryTotals {
  readonly #config: ModelConfig;
  readonly #kernels: Kernels;
  readonly #layers: readonly Totals[];

  constructor(config: ModelConfig, kernels: Kernels) {
    const { layers, queryHeads, headDim } = config;
    this.#config = config;
    this.#kernels = kernels;
    this.#layers = Array.from({ length: layers }, () => ({
      count: 0,
      sums: new Float64Array(queryHeads * headDim),
      products: new Float64Array(queryHeads * headDim * headDim),
    }));
  }

  get layers(): readonly QueryMoments[] {
    return this.#layers;
  }

  /** Takes rows [L, rows, H * d], the first of which is at `position`. */
  async add(queries: Float32Array, position: number): Promise<void> {
    const { layers, queryHeads, headDim } = this.#config;
    const width = queryHeads * headDim;
    const rows = queries.length / (layers * width);
    const first = Math.min(rows, Math.max(0, SINKS - position));
    if (first === rows) return;
    for (const [layer, total] of this.#layers.entries()) {
      const data = queries.subarray((layer * rows + first) * width, (layer + 1) * rows * width);
      const { sums, products } = await this.#kernels.moments({ data, dims: [rows - first, queryHeads, headDim] });
      total.count += rows - first;
      addTo(total.sums, sums.data);
      addTo(total.products, products.data);
    }
  }
}

function addTo(total: Float64Array, part: Float32Array): void {
  for (let i = 0; i < total.length; i++) total[i] = (total[i] ?? 0) + (part[i] ?? 0);
}
