/** A device that a test can take away, as drivers do. */
import type { Gpu, GpuOptions } from "../../src/gpu/index.ts";
import { softwareGpu } from "./software-gpu.ts";

export interface LosableGpu extends Disposable {
  readonly gpu: Gpu;
  lose(): void;
}

export async function losableGpu(options?: GpuOptions): Promise<LosableGpu> {
  using _ = await softwareGpu(); // brings the runtime's classes
  const opened: GPUDevice[] = [];
  const { requestDevice } = GPUAdapter.prototype;
  GPUAdapter.prototype.requestDevice = async function (descriptor) {
    const device = await requestDevice.call(this, descriptor);
    opened.push(device);
    return device;
  };
  try {
    const gpu = await softwareGpu(options);
    return {
      gpu,
      lose: () => opened.map((device) => device.destroy()),
      [Symbol.dispose]: () => gpu[Symbol.dispose](),
    };
  } finally {
    GPUAdapter.prototype.requestDevice = requestDevice;
  }
}
