/** A model whose engine remembers what prefill was asked, what was held before, and what it gave: laws about what was held when. */
import type { LayerEntries } from "../../src/cache/layer.ts";
import type { PrefillRequest, PrefillResult } from "../../src/engine/index.ts";
import type { Model } from "../../src/index.ts";

export interface PrefillCall {
  readonly request: PrefillRequest;
  /** The layers of the request's cache when the call began, and the position it went on at. */
  readonly before: { readonly layers: readonly LayerEntries[]; readonly position: number };
  readonly result: PrefillResult & { readonly layers: readonly LayerEntries[] };
}

export function recorded<M extends Model>(model: M): { readonly model: M; readonly calls: readonly PrefillCall[] } {
  const calls: PrefillCall[] = [];
  const { engine } = model;
  const prefill = async (request: PrefillRequest) => {
    const layers = (await request.cache?.read())?.map(copy) ?? [];
    const before = { layers, position: request.cache?.position ?? 0 };
    const result = await engine.prefill(request);
    calls.push({ request, before, result: { ...result, layers: (await result.entries.read()).map(copy) } });
    return result;
  };
  return { model: { ...model, engine: { ...engine, prefill } }, calls };
}

/** The next block works in the same memory. */
const copy = ({ keys, values, positions, offsets }: LayerEntries): LayerEntries => ({
  keys: keys.slice(),
  values: values.slice(),
  positions: positions.slice(),
  offsets,
});
