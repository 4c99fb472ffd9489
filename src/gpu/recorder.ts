/**
 * Work for a device, recorded and handed over in one submission: at `flush`, or when something is read.
 *
 * Dispatches see what those before them wrote. Parameters of all recorded dispatches travel in one write.
 */
import { KvError } from "../error.ts";
import { bindGroups } from "./bind-groups.ts";
import { engineFailed, type Faults } from "./faults.ts";
import type { Block } from "./memory.ts";
import { checkBindings, PARAMETER_BYTES, type Program } from "./program.ts";

/** Workgroups along x, y and z. */
export type Grid = readonly [x: number, y?: number, z?: number];

export interface Recorder {
  /** @param parameters the numbers of binding 0, as WGSL lays them out */
  dispatch(program: Program, blocks: readonly Block[], grid: Grid, parameters?: Uint32Array): void;
  copy(from: Block, fromByte: number, to: Block, toByte: number, byteLength: number): void;
  flush(): void;
  /** Destroys a buffer once what is recorded is handed over. */
  retire(buffer: GPUBuffer): void;
  /** Bytes [from, to) of a block, once all that was recorded is done. @throws KvError for what went wrong until then */
  read(block: Block, from?: number, to?: number): Promise<ArrayBuffer>;
}

/** Dispatches with parameters in one submission, enough for a step of 90 layers; more begin another. */
const SLOTS = 1024;

export function openRecorder(device: GPUDevice, faults: Faults): Recorder {
  const staging = new Uint8Array(SLOTS * PARAMETER_BYTES);
  const usage = GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST;
  const parameterBuffer = device.createBuffer({ size: staging.byteLength, usage, label: "parameters" });
  const groups = bindGroups(device, parameterBuffer);
  const most = device.limits.maxComputeWorkgroupsPerDimension;
  let encoder: GPUCommandEncoder | null = null;
  let pass: GPUComputePassEncoder | null = null;
  let slots = 0;
  let retired: GPUBuffer[] = [];

  const commands = (): GPUCommandEncoder => {
    encoder ??= device.createCommandEncoder();
    return encoder;
  };
  const computing = (): GPUComputePassEncoder => {
    pass ??= commands().beginComputePass();
    return pass;
  };
  const endPass = () => {
    pass?.end();
    pass = null;
  };

  function flush(): void {
    if (encoder === null) return;
    endPass();
    const work = encoder;
    const parameters = staging.subarray(0, slots * PARAMETER_BYTES);
    [encoder, slots] = [null, 0];
    faults.guarded(
      ["validation", "out-of-memory", "internal"],
      () => {
        if (parameters.length > 0) device.queue.writeBuffer(parameterBuffer, 0, parameters);
        device.queue.submit([work.finish()]);
      },
      (error) => engineFailed("submission", error),
    );
    for (const buffer of retired) buffer.destroy();
    retired = [];
  }

  return {
    dispatch(program, blocks, [x, y = 1, z = 1], parameters) {
      checkBindings(program, blocks.length);
      if (x * y * z === 0) return;
      if (Math.max(x, y, z) > most) {
        const allowed = `at most ${most} workgroups in each dimension`;
        throw new KvError({ code: "engine_failed", path: ["webgpu", program.name], found: [x, y, z], allowed });
      }
      if (slots === SLOTS) flush();
      const into = computing();
      into.setPipeline(program.pipeline);
      const group = groups.of(program, blocks);
      if (program.parameters) {
        const offset = slots * PARAMETER_BYTES;
        if (parameters !== undefined)
          staging.set(new Uint8Array(parameters.buffer, parameters.byteOffset, parameters.byteLength), offset);
        slots++;
        into.setBindGroup(0, group, [offset]);
      } else into.setBindGroup(0, group);
      into.dispatchWorkgroups(x, y, z);
    },
    copy(from, fromByte, to, toByte, byteLength) {
      if (byteLength === 0) return;
      endPass();
      commands().copyBufferToBuffer(from.buffer, fromByte, to.buffer, toByte, byteLength);
    },
    flush,
    retire(buffer) {
      groups.forget(buffer);
      if (encoder === null) buffer.destroy();
      else retired.push(buffer);
    },
    async read(block, from = 0, to = block.byteLength) {
      const size = Math.ceil((to - from) / 4) * 4;
      if (size === 0) {
        flush();
        await faults.settle();
        return new ArrayBuffer(0);
      }
      const target = device.createBuffer({
        size,
        usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
        label: "readback",
      });
      try {
        endPass();
        commands().copyBufferToBuffer(block.buffer, from, target, 0, size);
        flush();
        // A device that refused the work says so in its own words, which are better than these.
        const found = await target
          .mapAsync(GPUMapMode.READ)
          .then(() => target.getMappedRange().slice(0, to - from))
          .catch(unreadable);
        await faults.settle();
        if (!(found instanceof KvError)) return found;
        await faults.checkSoon();
        throw found;
      } finally {
        target.destroy();
      }
    },
  };
}

const unreadable = (cause: unknown): KvError => {
  const allowed = "a block that can be read";
  return new KvError({ code: "engine_failed", path: ["webgpu", "read"], found: String(cause), allowed, cause });
};
