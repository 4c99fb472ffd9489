/** What went wrong on a device. It says so later than it was asked, so faults are collected and thrown where results are waited for. */
import { KvError } from "../error.ts";

export interface Faults {
  /** Runs work that the device judges later; what it finds becomes `describe`'s error. */
  guarded<T>(filters: readonly GPUErrorFilter[], work: () => T, describe: (error: GPUError) => KvError): T;
  /** Throws the first fault, once everything that is under way has been judged. Afterwards the device is as good as before, unless lost. */
  settle(): Promise<void>;
  /** @throws KvError `device_lost` once it is known to be */
  check(): void;
  /** As `check`, for what failed without a reason: some runtimes say a moment later that the device was lost. */
  checkSoon(): Promise<void>;
}

/** Milliseconds until a device that was not called lost counts as not lost. */
const PATIENCE = 1000;

export function watchFaults(device: GPUDevice): Faults {
  const outstanding = new Set<Promise<void>>();
  let first: KvError | null = null;
  let lost: KvError | null = null;
  const note = (fault: KvError) => {
    // Of what follows from a lack of memory a device may speak before it.
    if (first === null || (fault.code === "out_of_memory" && first.code !== "out_of_memory")) first = fault;
  };
  device.addEventListener("uncapturederror", (event) => {
    event.preventDefault(); // it is thrown, and so need not be printed
    if (event instanceof GPUUncapturedErrorEvent) note(engineFailed("device", event.error));
  });
  void device.lost.then(({ reason, message }) => {
    const allowed = "a device that stays";
    lost = new KvError({ code: "device_lost", path: ["webgpu"], found: message === "" ? reason : message, allowed });
  });
  const check = () => {
    if (lost !== null) throw lost;
  };
  return {
    check,
    async checkSoon() {
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, PATIENCE);
      await Promise.race([device.lost, promise]);
      clearTimeout(timer);
      check();
    },
    guarded(filters, work, describe) {
      for (const filter of filters) device.pushErrorScope(filter);
      try {
        return work();
      } finally {
        for (const _ of filters) {
          const judged = device
            .popErrorScope()
            .then((error) => error && note(describe(error)))
            .catch(() => undefined) // of a lost device, which says so itself
            .then(() => void outstanding.delete(judged));
          outstanding.add(judged);
        }
      }
    },
    async settle() {
      await Promise.all(outstanding);
      check();
      const fault = first;
      first = null;
      if (fault !== null) throw fault;
    },
  };
}

/** In the device's own words. Some run out of memory only when they work. */
export function engineFailed(label: string, error: GPUError): KvError {
  const full = error instanceof GPUOutOfMemoryError;
  return new KvError({
    code: full ? "out_of_memory" : "engine_failed",
    path: ["webgpu", label],
    found: error.message,
    allowed: full ? "work that the device has memory for" : "work that the device takes",
    cause: error,
  });
}
