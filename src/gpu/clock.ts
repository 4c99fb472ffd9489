/** How long a device works: by its own clock, where it has one that can be asked, else by the processor's. */
import type { Faults } from "./faults.ts";
import type { Recorder } from "./recorder.ts";

/** Seconds that the device spends on what `work` records. What was recorded before is not counted. */
export type Time = (work: () => void) => Promise<number>;

const STAMP_BYTES = 8;

/** @param stamps whether the device was opened with `timestamp-query` */
export const openClock = (
  device: GPUDevice,
  recorder: Pick<Recorder, "flush">,
  faults: Faults,
  stamps: boolean,
): Time => (stamps ? byStamps(device, recorder, faults) : bySubmissions(device, recorder, faults));

/** A stamp is written when all that was submitted before it is done. */
function byStamps(device: GPUDevice, { flush }: Pick<Recorder, "flush">, faults: Faults): Time {
  return async (work) => {
    const querySet = device.createQuerySet({ type: "timestamp", count: 2 });
    const usage = GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC;
    const stamps = device.createBuffer({ size: 2 * STAMP_BYTES, usage, label: "stamps" });
    const readable = GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST;
    const target = device.createBuffer({ size: 2 * STAMP_BYTES, usage: readable, label: "stamps" });
    const stamp = (index: number) => {
      const encoder = device.createCommandEncoder();
      encoder.beginComputePass({ timestampWrites: { querySet, endOfPassWriteIndex: index } }).end();
      if (index === 1) {
        encoder.resolveQuerySet(querySet, 0, 2, stamps, 0);
        encoder.copyBufferToBuffer(stamps, 0, target, 0, 2 * STAMP_BYTES);
      }
      device.queue.submit([encoder.finish()]);
    };
    try {
      flush();
      stamp(0);
      work();
      flush();
      stamp(1);
      await target.mapAsync(GPUMapMode.READ).catch(() => undefined); // what went wrong is said by the faults
      await faults.settle();
      const [before = 0n, after = 0n] = new BigUint64Array(target.getMappedRange());
      return Number(after - before) / 1e9;
    } finally {
      for (const resource of [querySet, stamps, target]) resource.destroy();
    }
  };
}

function bySubmissions(device: GPUDevice, { flush }: Pick<Recorder, "flush">, faults: Faults): Time {
  const idle = async () => {
    flush();
    await device.queue.onSubmittedWorkDone();
  };
  return async (work) => {
    await idle();
    const before = performance.now();
    work();
    await idle();
    const seconds = (performance.now() - before) / 1000;
    await faults.settle();
    return seconds;
  };
}
