/** Compute programs: WGSL with its sizes written in front, compiled once for each combination. */
import { KvError } from "../error.ts";
import { engineFailed, type Faults } from "./faults.ts";

/** How a program uses what is bound to it. */
export type Access = "read" | "write";

export interface Source {
  /** Names the program in errors and profiles. */
  readonly name: string;
  /**
   * WGSL with the entry point `main`. Binding 0 of group 0 is the uniform of its parameters, if it has any; storage follows from 1.
   */
  readonly code: string;
  /** What each storage binding is for, from binding 1 on. */
  readonly access: readonly Access[];
  /** Written before the code as `const NAME = value;`: sizes that arrays and loops are made of. */
  readonly constants?: Readonly<Record<string, number | boolean>>;
  /** Whether binding 0 is there. */
  readonly parameters?: boolean;
  /** WGSL extensions that it enables: the device must have them. */
  readonly enables?: readonly ("f16" | "subgroups" | "chromium_experimental_subgroup_matrix")[];
}

export interface Program {
  readonly name: string;
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
  readonly access: readonly Access[];
  readonly parameters: boolean;
}

/** Bytes of parameters that a program may have at most. */
export const PARAMETER_BYTES = 256;

/** The programs of a device, compiled at their first use. */
export function programs(device: GPUDevice, faults: Faults): (source: Source) => Program {
  const known = new Map<string, Program>();
  return (source) => {
    const text = written(source);
    const compiled = known.get(text);
    if (compiled !== undefined) return compiled;
    const make = () => compile(device, source, text);
    const program = faults.guarded(["validation"], make, (error) => engineFailed(source.name, error));
    known.set(text, program);
    return program;
  };
}

function written({ code, constants = {}, enables = [] }: Source): string {
  const lines = Object.entries(constants).map(([name, value]) => `const ${name} = ${literal(value)};`);
  return [...enables.map((extension) => `enable ${extension};`), ...lines, code].join("\n");
}

const literal = (value: number | boolean): string =>
  typeof value === "number" && Number.isInteger(value) ? `${value}u` : String(value);

function compile(device: GPUDevice, { name, access, parameters = false }: Source, code: string): Program {
  const storage = access.map((use, i): GPUBindGroupLayoutEntry => {
    const type = use === "read" ? "read-only-storage" : "storage";
    return { binding: i + 1, visibility: GPUShaderStage.COMPUTE, buffer: { type } };
  });
  const uniform: GPUBindGroupLayoutEntry = {
    binding: 0,
    visibility: GPUShaderStage.COMPUTE,
    buffer: { type: "uniform", hasDynamicOffset: true },
  };
  const layout = device.createBindGroupLayout({ entries: parameters ? [uniform, ...storage] : storage, label: name });
  const pipeline = device.createComputePipeline({
    label: name,
    layout: device.createPipelineLayout({ bindGroupLayouts: [layout] }),
    compute: { module: device.createShaderModule({ code, label: name }), entryPoint: "main" },
  });
  return { name, pipeline, layout, access, parameters };
}

/** @throws KvError `engine_failed` where a program is given more or fewer buffers than it binds */
export function checkBindings({ name, access }: Program, count: number): void {
  if (count === access.length) return;
  throw new KvError({
    code: "engine_failed",
    path: ["webgpu", name],
    found: count,
    allowed: `${access.length} buffers`,
  });
}
