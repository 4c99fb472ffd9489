/**
 * A GPU through WebGPU: programs in WGSL, memory that its owner frees, and work that is recorded and submitted together.
 *
 * Nothing here knows of networks or caches. What a device refuses comes as a typed error where a result is waited for.
 */
import { KvError } from "../error.ts";
import { openClock, type Time } from "./clock.ts";
import { type GpuFeatures, openDevice } from "./device.ts";
import { watchFaults } from "./faults.ts";
import { type Block, openMemory, outOfMemory } from "./memory.ts";
import { type Program, programs, type Source } from "./program.ts";
import { unavailable } from "./provider.ts";
import { type Grid, openRecorder, type Recorder } from "./recorder.ts";

export type { GpuFeatures, MatrixUnit } from "./device.ts";
export type { Block } from "./memory.ts";
export type { Program, Source } from "./program.ts";
export type { Grid } from "./recorder.ts";

export interface Gpu extends Disposable, Pick<Recorder, "dispatch" | "copy" | "flush" | "read"> {
  /** Vendor, architecture and driver, as far as they are told. */
  readonly name: string;
  /** Whether a processor stands in for a GPU. */
  readonly software: boolean;
  readonly features: GpuFeatures;
  readonly limits: Pick<
    GPUSupportedLimits,
    "maxBufferSize" | "maxStorageBufferBindingSize" | "maxComputeWorkgroupStorageSize"
  > & {
    /** Bytes that may be allocated together: infinite where only the device knows, which does not tell. */
    readonly memory: number;
  };
  /** Bytes allocated and not freed. */
  readonly used: number;
  /** Compiled at its first use; the same source gives the same program. */
  program(source: Source): Program;
  /** Zeros. @throws KvError `out_of_memory` */
  allocate(byteLength: number, label: string): Block;
  /** A block with these numbers in it. @throws KvError `out_of_memory` */
  upload(data: ArrayBufferView<ArrayBuffer>, label: string): Block;
  /** Writes numbers into a block before what is recorded from now on. */
  write(block: Block, byte: number, data: ArrayBufferView<ArrayBuffer>): void;
  /** Waits until all that was written and recorded is done. @throws KvError for what went wrong until then */
  settled(): Promise<void>;
  /** Seconds that the device spends on what `work` records, once all that was recorded before is done. @throws KvError as `read` */
  readonly time: Time;
}

export interface GpuOptions {
  /** Features that are left alone even where the device has them: to test what stands in for them. */
  readonly without?: readonly (keyof GpuFeatures)[];
  /** Bytes of a buffer at most, where that is less than the device binds: larger matrices lie in several. */
  readonly largest?: number;
  /** Bytes that may be allocated together, so that others find room beside it. Default: what the device has. */
  readonly memory?: number;
}

/**
 * Opens the fastest device that the runtime offers.
 *
 * @throws KvError `device_unavailable`
 */
export async function openGpu({
  without = [],
  largest = Number.POSITIVE_INFINITY,
  memory = Number.POSITIVE_INFINITY,
}: GpuOptions = {}): Promise<Gpu> {
  const { device, name, features } = await openDevice(without).catch(unopened);
  const faults = watchFaults(device);
  const recorder = openRecorder(device, faults);
  const { maxBufferSize, maxStorageBufferBindingSize, maxComputeWorkgroupStorageSize } = device.limits;
  const room = { largest: Math.min(largest, maxBufferSize, maxStorageBufferBindingSize), memory };
  const held = openMemory(device, room, recorder.retire);
  const program = programs(device, faults);
  const time = openClock(device, recorder, faults, features.timestamps);
  let live = true;
  const alive = () => {
    if (!live) throw new KvError({ code: "disposed", path: ["webgpu"], found: "disposed", allowed: "a device in use" });
    faults.check();
  };
  /** What waits while the device is disposed is told so, rather than that it was lost. */
  const waiting = async <T>(work: () => Promise<T>): Promise<T> => {
    alive();
    try {
      return await work();
    } catch (fault) {
      alive();
      throw fault;
    }
  };
  const allocate: Gpu["allocate"] = (byteLength, label) => {
    alive();
    const { used } = held;
    return faults.guarded(
      ["out-of-memory", "validation"],
      () => held.allocate(byteLength, label),
      (error) => outOfMemory(label, byteLength, `less beside the ${used} in use`, error),
    );
  };
  const put: Gpu["write"] = (block, byte, data) => {
    // Deno dies of writing nothing.
    if (data.byteLength > 0) device.queue.writeBuffer(block.buffer, byte, data);
  };
  const write: Gpu["write"] = (block, byte, data) => {
    alive();
    recorder.flush(); // a write overtakes what is only recorded
    put(block, byte, data);
  };
  return {
    name,
    software: /swiftshader|llvmpipe|lavapipe|software|basic render/i.test(name),
    features,
    limits: {
      maxBufferSize: room.largest,
      maxStorageBufferBindingSize: room.largest,
      maxComputeWorkgroupStorageSize,
      memory,
    },
    get used() {
      return held.used;
    },
    program(source) {
      alive();
      return program(source);
    },
    allocate,
    upload(data, label) {
      const block = allocate(data.byteLength, label);
      put(block, 0, data);
      return block;
    },
    write,
    dispatch(program: Program, blocks: readonly Block[], grid: Grid, parameters?: Uint32Array) {
      alive();
      recorder.dispatch(program, blocks, grid, parameters);
    },
    copy: recorder.copy,
    flush: recorder.flush,
    read: (block, from, to) => waiting(() => recorder.read(block, from, to)),
    settled: () =>
      waiting(async () => {
        recorder.flush();
        await device.queue.onSubmittedWorkDone();
        await faults.settle();
      }),
    time: (work) => waiting(() => time(work)),
    [Symbol.dispose]() {
      if (!live) return;
      live = false;
      recorder.flush();
      device.destroy();
    },
  };
}

function unopened(cause: unknown): never {
  throw cause instanceof KvError ? cause : unavailable(String(cause), "a device that opens");
}
