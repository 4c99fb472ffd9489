/** A GPU where there is none: SwiftShader, a Vulkan driver that runs on the processor, from npm. */
import { writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { parseTar } from "nanotar";
import { type Gpu, type GpuOptions, openGpu } from "../../src/gpu/index.ts";
import { archived, unpacked } from "./unpacked.ts";

const FILES = ["libvk_swiftshader.so", "libvulkan.so.1", "vk_swiftshader_icd.json"];

/** What a process must have in its environment when it starts, to find this driver and no other. */
export async function driverEnvironment(): Promise<Readonly<Record<string, string>>> {
  const folder = await unpacked("swiftshader", unpackDriver);
  return {
    VK_ICD_FILENAMES: join(folder, "vk_swiftshader_icd.json"),
    LD_LIBRARY_PATH: folder,
    // Shaders compile 10 to 15 times faster; harmless here, where memory is fresh.
    PYRAMIDKV_DAWN_FLAGS: "enable-dawn-features=disable_workgroup_init,allow_unsafe_apis",
  };
}

/** A device on that driver, in this process. */
export async function softwareGpu(options?: GpuOptions): Promise<Gpu> {
  if (process.versions.bun !== undefined) await loadDriver();
  return openGpu(options);
}

let shared: Promise<Gpu> | null = null;

/** One device for many engines, which do not end it: programs are compiled once. */
export async function sharedGpu(): Promise<Gpu> {
  shared ??= softwareGpu();
  const gpu = await shared;
  return Object.create(gpu, { [Symbol.dispose]: { value: () => undefined } });
}

/** Bun starts without the environment, so it is set in the C library, where the loader looks, and the loader is loaded ahead. */
async function loadDriver(): Promise<void> {
  const environment = await driverEnvironment();
  const { dlopen, FFIType } = await import("bun:ffi");
  const { symbols } = dlopen("libc.so.6", {
    setenv: { args: [FFIType.cstring, FFIType.cstring, FFIType.i32], returns: FFIType.i32 },
  });
  for (const [name, value] of Object.entries(environment)) {
    process.env[name] ??= value;
    symbols.setenv(Buffer.from(`${name}\0`), Buffer.from(`${value}\0`), 0);
  }
  dlopen(join(environment.LD_LIBRARY_PATH ?? "", "libvulkan.so.1"), {
    vkEnumerateInstanceVersion: { args: [FFIType.ptr], returns: FFIType.i32 },
  });
}

/** The driver's files. */
async function unpackDriver(folder: string): Promise<void> {
  for (const { name, data } of parseTar(await archived("swiftshader.tar.br")))
    if (data !== undefined && FILES.includes(basename(name)))
      await writeFile(join(folder, basename(name)), data, { mode: 0o755 });
}
