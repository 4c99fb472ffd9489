/** Room for what a kernel puts down between its passes: grown when more is asked for, and its owner's to free. */
import type { GpuArrays, GpuTensor } from "./arrays.ts";

export interface Room extends Disposable {
  /** With whatever was left in it. Good until more is asked for. @param words of 4 bytes */
  of(words: number): GpuTensor;
}

export function room(arrays: GpuArrays, label: string): Room {
  let held: GpuTensor | null = null;
  const free = () => {
    held?.[Symbol.dispose]();
    held = null;
  };
  return {
    of(words) {
      if (held !== null && held.block.byteLength >= 4 * words) return held;
      free();
      held = arrays.empty(label, words);
      return held;
    },
    [Symbol.dispose]: free,
  };
}
