/** Bytes one after the other into a block, in whole words, as devices are given them. */
import type { Block, Gpu } from "../../../src/gpu/index.ts";

const WORD = 4;

export interface Words {
  put(bytes: Uint8Array<ArrayBuffer>): void;
  /** Writes what does not fill a word. */
  end(): void;
}

export function inWords(gpu: Gpu, block: Block): Words {
  let at = 0;
  let rest = new Uint8Array(0);
  return {
    put(bytes) {
      const all = rest.length === 0 ? bytes : joined(rest, bytes);
      const whole = all.length - (all.length % WORD);
      gpu.write(block, at, all.subarray(0, whole));
      at += whole;
      rest = all.slice(whole);
    },
    end() {
      if (rest.length > 0) gpu.write(block, at, joined(rest, new Uint8Array(WORD - rest.length)));
    },
  };
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}
