/**
 * A prompt through the network layer by layer, each of which lets go of what is not chosen before the next begins: what goes from layer to
 * layer is held for the whole prompt, the full keys and values of one layer alone.
 */
import type { GpuTensor } from "../../../kernels/gpu/arrays.ts";
import type { ChunkResult } from "../chunked-prefill.ts";
import { type Chunk, prefillInChunks } from "../chunked-prefill.ts";
import type { LayeredPrefillRequest, LayeredPrefillResult } from "../index.ts";
import type { HeadPages } from "./head-pages.ts";
import { KeptPages } from "./kept-pages.ts";
import { PagedEntries } from "./paged-entries.ts";
import { runChunk } from "./prompt-chunk.ts";
import { PromptOnDevice } from "./prompt-entries.ts";
import type { GpuRun } from "./run.ts";

export async function prefillByLayer(run: GpuRun, request: LayeredPrefillRequest): Promise<LayeredPrefillResult> {
  const { config, arrays, store } = run;
  const { tokens, chunk, onProgress } = request;
  using hidden = arrays.empty("what goes from layer to layer", tokens.length, config.hiddenSize);
  embed(run, hidden, tokens, chunk);
  const kept: HeadPages[] = [];
  let logits: Float32Array = new Float32Array(0);
  try {
    for (let layer = 0; layer < config.layers; layer++) {
      const own = store.onlyLayer(layer);
      using cache = new PromptOnDevice(own, tokens.length);
      const result = await oneLayer(run, { ...request, cache }, layer, hidden, (done) =>
        onProgress?.((layer * tokens.length + done) / config.layers, tokens.length),
      );
      kept.push(...cache.inPages([await request.choose(layer, result)]));
      logits = result.logits;
    }
  } catch (fault) {
    store.release(kept);
    throw fault;
  }
  return { logits, device: new PagedEntries(store, KeptPages.of(store, kept)) };
}

/** The prompt through one layer, whose keys and values go into the request's cache. */
function oneLayer(
  run: GpuRun,
  request: LayeredPrefillRequest & { readonly cache: PromptOnDevice },
  layer: number,
  hidden: GpuTensor,
  onProgress: (done: number) => void,
) {
  const { config, network, kernels, rotary } = run;
  const { cache, columnSums = false, choose: _, ...observed } = request;
  const isLast = layer === config.layers - 1;
  const surroundings = {
    config: { ...config, layers: 1 },
    kernels,
    frequencies: rotary.tables.frequencies.slice(layer, layer + 1),
  };
  const through = ({ tokens, ...rows }: Chunk): Promise<ChunkResult> => {
    const from = cache.length;
    return runChunk(run, cache, rows, { firstLayer: layer, columnSums }, (attend) => {
      const wanted = { ...rows, logitsFrom: isLast ? rows.logitsFrom : null, queries: rows.queriesFrom !== null };
      const part = () => moved(run, hidden, from, tokens.length, "in");
      const results = network.runLayer(layer, part, wanted, attend);
      moved(run, hidden, from, tokens.length, "out");
      return results;
    });
  };
  return prefillInChunks(surroundings, { ...observed, columnSums, cache, onProgress }, through);
}

function embed(run: GpuRun, hidden: GpuTensor, tokens: Int32Array, chunk: number): void {
  for (let from = 0; from < tokens.length; from += chunk) {
    const some = tokens.subarray(from, from + chunk);
    copyRows(run, run.network.embedded(some), 0, hidden, from, some.length);
  }
}

/** Some tokens' part of what goes from layer to layer, as an array of its own: brought in, or back. */
function moved(run: GpuRun, hidden: GpuTensor, from: number, count: number, way: "in" | "out"): GpuTensor {
  const part = run.scratch.of("part of what goes on", count, run.config.hiddenSize);
  if (way === "in") copyRows(run, hidden, from, part, 0, count);
  else copyRows(run, part, 0, hidden, from, count);
  return part;
}

function copyRows(run: GpuRun, from: GpuTensor, row: number, to: GpuTensor, toRow: number, count: number): void {
  const bytes = run.config.hiddenSize * Float32Array.BYTES_PER_ELEMENT;
  run.arrays.gpu.copy(from.block, row * bytes, to.block, toRow * bytes, count * bytes);
}
