/** Bind groups, made once for each program and the buffers that it is given, until one of these is freed. */
import type { Block } from "./memory.ts";
import { PARAMETER_BYTES, type Program } from "./program.ts";

export interface BindGroups {
  of(program: Program, blocks: readonly Block[]): GPUBindGroup;
  /** Of a buffer that is about to go. */
  forget(buffer: GPUBuffer): void;
}

export function bindGroups(device: GPUDevice, parameterBuffer: GPUBuffer): BindGroups {
  const groups = new Map<string, GPUBindGroup>();
  const numbers = new WeakMap<object, number>();
  const users = new Map<number, Set<string>>();
  let count = 0;
  const numberOf = (thing: object): number => {
    const known = numbers.get(thing);
    if (known !== undefined) return known;
    numbers.set(thing, ++count);
    return count;
  };
  return {
    of(program, blocks) {
      const bound = blocks.map(({ buffer }) => numberOf(buffer));
      const key = `${numberOf(program)}:${bound.join(",")}`;
      const known = groups.get(key);
      if (known !== undefined) return known;
      const storage = blocks.map(({ buffer }, i) => ({ binding: i + 1, resource: { buffer } }));
      const uniform = { binding: 0, resource: { buffer: parameterBuffer, size: PARAMETER_BYTES } };
      const entries = program.parameters ? [uniform, ...storage] : storage;
      const group = device.createBindGroup({ layout: program.layout, entries, label: program.name });
      groups.set(key, group);
      for (const number of bound) users.set(number, (users.get(number) ?? new Set()).add(key));
      return group;
    },
    forget(buffer) {
      const number = numberOf(buffer);
      for (const key of users.get(number) ?? []) groups.delete(key);
      users.delete(number);
    },
  };
}
