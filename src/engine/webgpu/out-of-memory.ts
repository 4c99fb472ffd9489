/** What a network takes of a device's memory, told where there is too little of it, with what would take less. */
import { KvError } from "../../error.ts";

/** @param needed bytes of all weights, at least @param free bytes that the device surely has not more of @param used by others */
export const tooLarge = (needed: number, free: number, used: number): KvError =>
  new KvError({ ...weightsOf(needed), allowed: `at most ${free} beside the ${used} in use` });

/** A fault of the upload; what is not for want of memory stays as it is. @param used bytes on the device by then */
export function ofWeights(fault: unknown, needed: number, used: number): unknown {
  if (!isOutOfMemory(fault)) return fault;
  const allowed = `less: ${String(fault.found)} for ${fault.path.slice(1, -1).join(".")} found no room beside the ${used} in use`;
  return new KvError({ ...weightsOf(needed), allowed, cause: fault });
}

/** A fault of a run. @param weights bytes that they take @param used bytes on the device by then */
export function ofRun(fault: unknown, weights: number, used: number): unknown {
  if (!isOutOfMemory(fault)) return fault;
  const { code, path, found, allowed } = fault;
  const hint = `weights take ${weights} of the ${used} bytes in use; a smaller batch, a shorter chunk or a lower budget takes less`;
  return new KvError({ code, path, found, allowed, hint, cause: fault });
}

const isOutOfMemory = (fault: unknown): fault is KvError => fault instanceof KvError && fault.code === "out_of_memory";

const weightsOf = (found: number) =>
  ({
    code: "out_of_memory",
    path: ["webgpu", "weights", "bytes"],
    found,
    hint: "a smaller quantisation of the model takes less",
  }) as const;
