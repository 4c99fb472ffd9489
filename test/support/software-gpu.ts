/** A GPU where there is none: SwiftShader, a Vulkan driver that runs on the processor, from npm. */
import { existsSync } from "node:fs";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliDecompressSync } from "node:zlib";
import { parseTar } from "nanotar";
import { type Gpu, type GpuOptions, openGpu } from "../../src/gpu/index.ts";

const FILES = ["libvk_swiftshader.so", "libvulkan.so.1", "vk_swiftshader_icd.json"];

/** What a process must have in its environment when it starts, to find this driver and no other. */
export async function driverEnvironment(): Promise<Readonly<Record<string, string>>> {
  const folder = await unpacked();
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

/** The driver's folder; several processes may unpack it at once. */
async function unpacked(): Promise<string> {
  const source = join(dirname(fileURLToPath(import.meta.resolve("@sparticuz/chromium"))), "../bin/swiftshader.tar.br");
  const folder = join(tmpdir(), "pyramidkv-swiftshader-153.0.0");
  if (existsSync(folder)) return folder;
  const archive = parseTar(brotliDecompressSync(await readFile(source)));
  const own = `${folder}.${process.pid}`;
  await mkdir(own, { recursive: true });
  for (const { name, data } of archive) {
    if (data !== undefined && FILES.includes(basename(name)))
      await writeFile(join(own, basename(name)), data, { mode: 0o755 });
  }
  await rename(own, folder).catch(() => rm(own, { recursive: true, force: true }));
  return folder;
}
