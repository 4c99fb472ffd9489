/** Where WebGPU comes from: the runtime itself (Deno, browsers), or Dawn through npm's `webgpu` (Bun, Node). */
import { KvError } from "../error.ts";

/** Dawn frees everything with this object, and a collected one takes the process with it, so it lives as long as the module. */
let dawn: GPU | null = null;

/** @throws KvError `device_unavailable` where the runtime has no WebGPU and the package is not installed or does not load */
export async function webgpu(): Promise<GPU> {
  if (dawn !== null) return dawn;
  if (typeof navigator !== "undefined" && navigator.gpu !== undefined) return navigator.gpu;
  try {
    const { create, globals } = await import("webgpu");
    Object.assign(globalThis, globals); // GPUBufferUsage and its like, which are global elsewhere
    dawn = create(flags());
    return dawn;
  } catch (cause) {
    throw unavailable("no WebGPU", "a runtime with WebGPU, or npm's `webgpu` installed", String(cause));
  }
}

/** Of Dawn, as its own tools take them, split at semicolons. What it calls unsafe is not yet a standard: products of matrices by subgroups. */
const flags = (): string[] =>
  (process.env.PYRAMIDKV_DAWN_FLAGS ?? "enable-dawn-features=allow_unsafe_apis")
    .split(";")
    .filter((flag) => flag !== "");

export const unavailable = (found: string, allowed: string, hint?: string): KvError =>
  new KvError({
    code: "device_unavailable",
    path: ["webgpu"],
    found,
    allowed,
    ...(hint === undefined ? {} : { hint }),
  });
