/** RoPE's tables on the device, brought there again only when they have grown. */
import type { GpuArrays, GpuTensor } from "../../../kernels/gpu/arrays.ts";
import type { ModelConfig } from "../../model/config.ts";
import type { Tensor } from "../../tensor.ts";
import { RotaryTables, rotaryInputs } from "../rotary-tables.ts";

export interface Rotation {
  /** Each layer's table, a position's cosines and then its sines: [M, d]. */
  readonly layers: readonly GpuTensor[];
  /** Each token's row of them. */
  readonly rows: Int32Array;
}

export class RotaryBlocks implements Disposable {
  readonly tables: RotaryTables;
  readonly #arrays: GpuArrays;
  readonly #config: ModelConfig;
  #known: { readonly of: object; readonly blocks: Map<string, GpuTensor> } | null = null;

  constructor(arrays: GpuArrays, config: ModelConfig) {
    this.#arrays = arrays;
    this.#config = config;
    this.tables = new RotaryTables(config);
  }

  /** Good until other positions are asked for. */
  at(positions: Int32Array): Rotation {
    const { tables, rows } = this.tables.at(positions);
    if (this.#known?.of !== tables) {
      this.#free();
      this.#known = { of: tables, blocks: new Map<string, GpuTensor>() };
    }
    const { blocks } = this.#known;
    const layers = Array.from({ length: this.#config.layers }, (_, layer) => {
      const { cos, sin } = rotaryInputs(this.#config, layer);
      const table = blocks.get(cos) ?? this.#arrays.of(sideBySide(tables[cos], tables[sin]), "rotary table");
      blocks.set(cos, table);
      return table;
    });
    return { layers, rows };
  }

  #free(): void {
    for (const block of this.#known?.blocks.values() ?? []) block[Symbol.dispose]();
    this.#known = null;
  }

  [Symbol.dispose](): void {
    this.#free();
  }
}

function sideBySide(cos: Tensor | undefined, sin: Tensor | undefined): Tensor {
  if (cos === undefined || sin === undefined) throw new RangeError("no table");
  const [rows = 0, half = 0] = cos.dims;
  const both = new Float32Array(2 * rows * half);
  for (let row = 0; row < rows; row++) {
    both.set(cos.data.subarray(row * half, (row + 1) * half), 2 * row * half);
    both.set(sin.data.subarray(row * half, (row + 1) * half), (2 * row + 1) * half);
  }
  return { data: both, dims: [rows, 2 * half] };
}
