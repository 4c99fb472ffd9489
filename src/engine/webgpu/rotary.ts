/** RoPE's tables on the device, brought there again only when they have grown. */
import type { GpuArrays, GpuTensor } from "../../../kernels/gpu/arrays.ts";
import type { ModelConfig } from "../../model/config.ts";
import { RotaryTables, rotaryInputs } from "../rotary-tables.ts";

export interface Rotation {
  /** Cosines and sines of each layer, [M, d / 2]. */
  readonly layers: readonly { readonly cos: GpuTensor; readonly sin: GpuTensor }[];
  /** Each token's row of them. */
  readonly rows: Int32Array;
}

export class RotaryBlocks implements Disposable {
  readonly tables: RotaryTables;
  readonly #arrays: GpuArrays;
  readonly #config: ModelConfig;
  #known: { readonly of: object; readonly blocks: ReadonlyMap<string, GpuTensor> } | null = null;

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
      const blocks = new Map(Object.entries(tables).map(([name, table]) => [name, this.#arrays.of(table, name)]));
      this.#known = { of: tables, blocks };
    }
    const { blocks } = this.#known;
    const block = (name: string): GpuTensor => {
      const found = blocks.get(name);
      if (found === undefined) throw new RangeError(`no table ${name}`);
      return found;
    };
    const layers = Array.from({ length: this.#config.layers }, (_, layer) => {
      const { cos, sin } = rotaryInputs(this.#config, layer);
      return { cos: block(cos), sin: block(sin) };
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
