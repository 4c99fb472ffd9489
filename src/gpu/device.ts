/** The fastest device that the runtime offers, with all it can do. */
import { unavailable, webgpu } from "./provider.ts";

export interface GpuFeatures {
  /** Half precision in shaders. */
  readonly f16: boolean;
  /** Operations between the invocations of a subgroup, which are this many at least and at most. */
  readonly subgroups: { readonly min: number; readonly max: number } | null;
  /** Products of four 8-bit numbers packed in 32 bits. */
  readonly packedDot: boolean;
  /** A clock of the device's own, by which its work is timed. */
  readonly timestamps: boolean;
  /** Products of small matrices by a whole subgroup, half precision added up in single: M x K times K x N. */
  readonly matrices: MatrixUnit | null;
}

export interface MatrixUnit {
  readonly M: number;
  readonly N: number;
  readonly K: number;
  /** Invocations of a subgroup, always. */
  readonly lanes: number;
}

export interface OpenDevice {
  readonly device: GPUDevice;
  /** Vendor, architecture and driver, as far as they are told. */
  readonly name: string;
  readonly features: GpuFeatures;
}

/** @param without features that are left alone even where they are there @throws KvError `device_unavailable` */
export async function openDevice(without: readonly (keyof GpuFeatures)[]): Promise<OpenDevice> {
  const gpu = await webgpu();
  const adapter = await gpu.requestAdapter({ powerPreference: "high-performance" });
  if (adapter === null) throw unavailable("without an adapter", "on a machine with a GPU and its driver");
  const features = featuresOf(gpu, adapter, without);
  const { limits, info } = adapter;
  const device = await adapter.requestDevice({
    requiredFeatures: [
      ...(features.f16 ? (["shader-f16"] as const) : []),
      ...(features.subgroups === null ? [] : (["subgroups"] as const)),
      ...(features.matrices !== null && isOffered(adapter, MATRICES) ? [MATRICES] : []),
      ...(features.timestamps ? (["timestamp-query"] as const) : []),
    ],
    // The defaults are what any phone has; more must be asked for.
    requiredLimits: {
      maxBufferSize: limits.maxBufferSize,
      maxStorageBufferBindingSize: limits.maxStorageBufferBindingSize,
      maxComputeWorkgroupStorageSize: limits.maxComputeWorkgroupStorageSize,
      maxComputeInvocationsPerWorkgroup: limits.maxComputeInvocationsPerWorkgroup,
      maxComputeWorkgroupSizeX: limits.maxComputeWorkgroupSizeX,
      maxStorageBuffersPerShaderStage: limits.maxStorageBuffersPerShaderStage,
    },
    label: "pyramidkv",
  });
  const name = [info.vendor, info.architecture, info.description].filter((part) => part !== "").join(" ");
  return { device, name, features };
}

function featuresOf(gpu: GPU, adapter: GPUAdapter, without: readonly (keyof GpuFeatures)[]): GpuFeatures {
  const wanted = (feature: keyof GpuFeatures, there: boolean) => there && !without.includes(feature);
  const { subgroupMinSize: min = 4, subgroupMaxSize: max = 128 } = adapter.info;
  const f16 = wanted("f16", adapter.features.has("shader-f16"));
  const subgroups = wanted("subgroups", adapter.features.has("subgroups")) ? { min, max } : null;
  const matrices = f16 && subgroups !== null && min === max && wanted("matrices", isOffered(adapter, MATRICES));
  return {
    f16,
    subgroups,
    matrices: matrices ? matrixUnit(adapter.info, max) : null,
    packedDot: wanted("packedDot", languageFeatures(gpu)?.has("packed_4x8_integer_dot_product") ?? false),
    timestamps: wanted("timestamps", adapter.features.has("timestamp-query")),
  };
}

/** Not every runtime tells them. */
const languageFeatures = (gpu: GPU & { readonly wgslLanguageFeatures?: { has(name: string): boolean } }) =>
  gpu.wgslLanguageFeatures;

/** Dawn's name, for what is to become a standard. */
const MATRICES: string = "chromium-experimental-subgroup-matrix";

const isOffered = (adapter: GPUAdapter, name: string): name is GPUFeatureName =>
  Array.from<string>(adapter.features).includes(name);

interface MatrixConfig extends Omit<MatrixUnit, "lanes"> {
  readonly componentType: string;
  readonly resultComponentType: string;
}

/** The largest that tiles of 32 by 64 are made of. */
function matrixUnit(
  { subgroupMatrixConfigs = [] }: GPUAdapterInfo & { readonly subgroupMatrixConfigs?: Iterable<MatrixConfig> },
  lanes: number,
): MatrixUnit | null {
  const fits = [...subgroupMatrixConfigs].filter(
    ({ componentType, resultComponentType, M, N, K }) =>
      componentType === "f16" && resultComponentType === "f32" && [M, N, K].every((side) => side === 8 || side === 16),
  );
  const [largest] = fits.sort((a, b) => b.M * b.N * b.K - a.M * a.N * a.K);
  return largest === undefined ? null : { M: largest.M, N: largest.N, K: largest.K, lanes };
}
