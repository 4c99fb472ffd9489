/** A prompt through the network on the device, chunk by chunk. */
import type { PromptEntries } from "../../cache/prompt-entries.ts";
import { invalid } from "../../options.ts";
import { prefillInChunks } from "../chunked-prefill.ts";
import type { PrefillRequest, PrefillResult } from "../index.ts";
import { refuseGaps } from "../refuse-gaps.ts";
import { runChunk } from "./prompt-chunk.ts";
import { PromptOnDevice } from "./prompt-entries.ts";
import type { GpuRun } from "./run.ts";

export async function prefill(run: GpuRun, request: PrefillRequest): Promise<PrefillResult> {
  const { config, network, kernels, rotary, store } = run;
  const cache = here(run, request.cache ?? new PromptOnDevice(store, request.tokens.length));
  try {
    refuseGaps(config, cache);
    const surroundings = { config, kernels, frequencies: rotary.tables.frequencies };
    const seen = { firstLayer: 0, columnSums: request.columnSums === true };
    return await prefillInChunks(surroundings, { ...request, cache }, ({ tokens, ...rows }) =>
      runChunk(run, cache, rows, seen, (attend) =>
        network.run({ tokens, ...rows, queries: rows.queriesFrom !== null }, attend),
      ),
    );
  } catch (fault) {
    if (request.cache === undefined) cache[Symbol.dispose]();
    throw fault;
  }
}

function here({ store }: GpuRun, entries: PromptEntries): PromptOnDevice {
  if (entries instanceof PromptOnDevice && entries.isOn(store)) return entries;
  throw invalid(["prefill", "cache"], "entries of another engine", "what this engine's `prompt` made");
}
