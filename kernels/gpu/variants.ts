/** Programs that are one kernel, by what they differ in. */
import type { Gpu, Program, Source } from "../../src/gpu/index.ts";

/** Looks a program up by a short key, and has it made where there is none. */
export type Variants = (key: string, source: () => Source) => Program;

/** A step has hundreds of calls, and to build a program's text for each would take longer than to record it. */
export function variants(gpu: Gpu): Variants {
  const known = new Map<string, Program>();
  return (key, source) => {
    const program = known.get(key) ?? gpu.program(source());
    known.set(key, program);
    return program;
  };
}

/** A kernel's only program, compiled at its first use. */
export function once(gpu: Gpu, source: Source): () => Program {
  let program: Program | undefined;
  return () => {
    program ??= gpu.program(source);
    return program;
  };
}
