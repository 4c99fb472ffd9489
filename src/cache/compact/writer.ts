import { type Block, type BlockLayout, codeBytes, encode, floatCount } from "./block.ts";

/** Some blocks of many: views. */
export function blocksAt(layout: BlockLayout, { codes, floats }: Block, from: number, count: number): Block {
  const [bytes, numbers] = [codeBytes(layout), floatCount(layout)];
  return {
    codes: codes.subarray(from * bytes, (from + count) * bytes),
    floats: floats.subarray(from * numbers, (from + count) * numbers),
  };
}

/** Writes blocks one after the other: old ones as they are, new ones encoded. */
export class BlockWriter {
  /** What was written, and room for the rest. */
  readonly blocks: Block;
  readonly #layout: BlockLayout;
  readonly #old: Block;
  #kept = 0;
  #written = 0;

  /** @param total blocks that will be written */
  constructor(layout: BlockLayout, total: number, old: Block) {
    this.blocks = {
      codes: new Uint8Array(total * codeBytes(layout)),
      floats: new Float32Array(total * floatCount(layout)),
    };
    this.#layout = layout;
    this.#old = old;
  }

  /** Takes over the next `count` old blocks. */
  keep(count: number): void {
    const from = blocksAt(this.#layout, this.#old, this.#kept, count);
    const to = blocksAt(this.#layout, this.blocks, this.#written, count);
    to.codes.set(from.codes);
    to.floats.set(from.floats);
    this.#kept += count;
    this.#written += count;
  }

  /** Encodes [tokens, width] numbers. */
  add(numbers: Float32Array): void {
    encode(this.#layout, numbers, blocksAt(this.#layout, this.blocks, this.#written++, 1));
  }
}
