/** Numbers on a device. Whoever allocates them frees them: devices have no garbage collector. */
import { KvError } from "../error.ts";

/** An array on a device. Disposing frees it; work that was recorded before is done first. */
export interface Block extends Disposable {
  readonly buffer: GPUBuffer;
  /** Bytes asked for; the buffer is a multiple of 16. */
  readonly byteLength: number;
}

/** Bytes that may be allocated: in one buffer, and together. */
export interface Room {
  readonly largest: number;
  readonly memory: number;
}

export interface Memory {
  /** Zeros. @throws KvError `out_of_memory` beyond the room there is; a device may have less, and says so later */
  allocate(byteLength: number, label: string): Block;
  /** Bytes allocated and not freed. */
  readonly used: number;
}

const ROUND = 16;

/** @param retire destroys a buffer once nothing that is recorded uses it */
export function openMemory(device: GPUDevice, { largest, memory }: Room, retire: (buffer: GPUBuffer) => void): Memory {
  let used = 0;
  return {
    allocate(byteLength, label) {
      const size = Math.max(ROUND, Math.ceil(byteLength / ROUND) * ROUND);
      if (!(size <= largest))
        throw outOfMemory(label, byteLength, `at most ${largest}, as many as a buffer may have here`);
      if (!(size <= memory - used))
        throw outOfMemory(label, byteLength, `at most ${memory - used} beside the ${used} in use`);
      const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
      const buffer = device.createBuffer({ size, usage, label });
      used += size;
      let live = true;
      return {
        buffer,
        byteLength,
        [Symbol.dispose]() {
          if (!live) return;
          live = false;
          used -= size;
          retire(buffer);
        },
      };
    },
    get used() {
      return used;
    },
  };
}

export const outOfMemory = (label: string, found: number, allowed: string, cause?: unknown): KvError =>
  new KvError({
    code: "out_of_memory",
    path: ["webgpu", label, "bytes"],
    found,
    allowed,
    ...(cause === undefined ? {} : { cause }),
  });
