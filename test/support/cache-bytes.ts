/** What entries take on the engine that tests run on: to the byte in memory, to the page on a device. */
import { PAGE } from "../../kernels/paged-attention/index.ts";
import { TAIL_PAGE } from "../../src/cache/tail.ts";
import type { Model } from "../../src/index.ts";

const isOnDevice = ({ engine }: Model): boolean => engine.name === "webgpu";

/** Of what each head kept, [layer][kvHead]. */
export function keptBytes(
  model: Model,
  lengths: readonly (readonly number[])[],
  onDevice: boolean = isOnDevice(model),
): number {
  const page = onDevice ? PAGE : 1;
  const entries = lengths.flat().reduce((sum, length) => sum + Math.ceil(length / page) * page, 0);
  return entries * entryBytes(model);
}

/** Of some tokens more: whole pages, in memory a power of two of them. */
export function tailBytes(model: Model, tokens = 1, onDevice: boolean = isOnDevice(model)): number {
  const { layers, kvHeads } = model.config;
  const room = onDevice
    ? PAGE * Math.max(1, Math.ceil(tokens / PAGE))
    : TAIL_PAGE * 2 ** Math.max(0, Math.ceil(Math.log2(tokens / TAIL_PAGE)));
  return room * layers * kvHeads * entryBytes(model);
}

const entryBytes = ({ config }: Model): number => config.headDim * 2 * Float32Array.BYTES_PER_ELEMENT;
