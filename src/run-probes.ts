/** Runs probes after a prompt, on copies of its cache: what their sequences attend to, position by position. */
import { throwIfAborted } from "./abort.ts";
import type { PromptEntries } from "./cache/prompt-entries.ts";
import type { PrefillRequest } from "./engine/index.ts";
import { KvError } from "./error.ts";
import type { Model } from "./load.ts";
import { promptText } from "./prompt.ts";
import type { Probe } from "./scoring/probe.ts";
import type { Tensor } from "./tensor.ts";

/**
 * What each probe saw, by its name: [H, n] of each layer.
 *
 * @param entries the prompt's, which stay as they are
 * @throws KvError `prompt_too_long` for a sequence that does not fit the model's context after the prompt, `invalid_option` for an empty one
 */
export async function runProbes(
  model: Model,
  tokens: Int32Array,
  entries: PromptEntries,
  probes: readonly Probe[],
  running: Pick<PrefillRequest, "chunk" | "signal">,
): Promise<ReadonlyMap<string, readonly Tensor[]>> {
  const seen = new Map<string, readonly Tensor[]>();
  for (const probe of probes) {
    const sequences = probe.sequences(promptText(model, tokens));
    checkSequences(model, tokens.length, probe, sequences);
    const longest = sequences.reduce((most, { length }) => Math.max(most, length), 0);
    using cache = entries.copy(longest);
    let joined: readonly Tensor[] | null = null;
    for (const sequence of sequences) {
      throwIfAborted(running.signal, ["signal"]);
      const one = await run(model, cache, tokens.length, probe, sequence, running);
      joined = joined === null ? one : joined.map((before, layer) => join(probe, before, one[layer]));
      cache.rewind(tokens.length);
    }
    if (joined !== null) seen.set(probe.name, joined);
  }
  return seen;
}

async function run(
  model: Model,
  cache: PromptEntries,
  length: number,
  probe: Probe,
  tokens: Int32Array,
  running: Pick<PrefillRequest, "chunk" | "signal">,
): Promise<readonly Tensor[]> {
  const { queryHeads, headDim, slidingWindow } = model.config;
  const { queries } = await model.engine.prefill({ tokens, cache, lastQueries: tokens.length, ...running });
  const seen: Tensor[] = [];
  for (let layer = 0; layer < model.config.layers; layer++) {
    seen.push(
      await probe.see({
        layer,
        length,
        queries: { data: queries[layer] ?? new Float32Array(0), dims: [queryHeads, tokens.length, headDim] },
        keys: cache.stored(layer).keys,
        slidingWindow: slidingWindow[layer] ?? null,
        kernels: model.engine.kernels,
      }),
    );
  }
  return seen;
}

function join(probe: Probe, { data, dims }: Tensor, other: Tensor | undefined): Tensor {
  const of = (i: number) => other?.data[i] ?? 0;
  return { data: data.map((value, i) => (probe.join === "sum" ? value + of(i) : Math.max(value, of(i)))), dims };
}

function checkSequences({ config }: Model, length: number, { name }: Probe, sequences: readonly Int32Array[]): void {
  const path = ["observe", name];
  if (sequences.length === 0 || sequences.some((sequence) => sequence.length === 0))
    throw new KvError({ code: "invalid_option", path, found: "nothing to run", allowed: "one token or more" });
  for (const sequence of sequences) {
    const wrong = sequence.findIndex((token) => token < 0 || token >= config.vocabSize);
    const allowed = `a token id in [0, ${config.vocabSize})`;
    if (wrong >= 0)
      throw new KvError({ code: "invalid_token", path: [...path, wrong], found: sequence[wrong], allowed });
    const room = config.contextLength - length;
    if (sequence.length <= room) continue;
    const found = `${length} tokens and ${sequence.length} to run after them`;
    throw new KvError({
      code: "prompt_too_long",
      path,
      found,
      allowed: `at most the model's context of ${config.contextLength}`,
    });
  }
}
