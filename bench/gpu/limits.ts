/** What the device can do at most, measured: how fast it copies, and how fast it multiplies and adds. */
import { type GpuArrays, grid, MOST_GROUPS, run } from "../../kernels/gpu/arrays.ts";
import { timed } from "./measure.ts";
import { noise } from "./noise.ts";
import type { Scale } from "./scale.ts";
import copy from "./wgsl/copy.wgsl" with { type: "text" };
import multiply from "./wgsl/multiply.wgsl" with { type: "text" };

/** Bytes a second, read and written. */
export interface Bandwidth {
  /** By invocations of 16 bytes each. */
  readonly kernel: number;
  /** From buffer to buffer. */
  readonly buffers: number;
  /** The better: what the goals are held against. */
  readonly best: number;
  /** How many times as long the kernel's copies took by the processor's clock: near 1, or the device's is not to be trusted. */
  readonly wall: number;
}

export async function bandwidth(arrays: GpuArrays, scale: Scale): Promise<Bandwidth> {
  const { gpu } = arrays;
  const most = Math.min(gpu.limits.maxBufferSize, gpu.limits.maxStorageBufferBindingSize);
  const bytes = Math.floor(Math.min(scale.bytes, most) / 16) * 16;
  using from = noise(arrays, "copied from", 1, bytes / 4);
  using to = arrays.empty("copied to", bytes / 4);
  const program = gpu.program({ name: "copy", code: copy, access: ["read", "write"], constants: { MOST_GROUPS } });
  const kernel = await timed(gpu, scale, () => run(arrays, program, [from, to], grid(bytes / 16, 256)));
  const buffers = await timed(gpu, scale, () => gpu.copy(from.block, 0, to.block, 0, bytes));
  const [byKernel, byBuffers] = [(2 * bytes) / kernel.median, (2 * bytes) / buffers.median];
  const wall = kernel.wall / kernel.median;
  return { kernel: byKernel, buffers: byBuffers, best: Math.max(byKernel, byBuffers), wall };
}

const ROUNDS = 256;
/** Of one invocation in one round: 64 products, and as many sums. */
const ROUND_FLOPS = 128;

/** Operations a second on one type of number, which the device has. */
export async function multiplying(arrays: GpuArrays, scale: Scale, type: "f32" | "f16"): Promise<number> {
  const { gpu } = arrays;
  using given = noise(arrays, "multiplied", 2, 128, 4);
  using sums = arrays.empty("sums", scale.multipliers, 4);
  const program = gpu.program({
    name: `multiply ${type}`,
    code: `alias T = ${type};\n${multiply}`,
    access: ["read", "write"],
    constants: { ROUNDS },
    enables: type === "f16" ? ["f16"] : [],
  });
  const { median } = await timed(gpu, scale, () => run(arrays, program, [given, sums], [scale.multipliers / 256]));
  return (scale.multipliers * ROUNDS * ROUND_FLOPS) / median;
}
