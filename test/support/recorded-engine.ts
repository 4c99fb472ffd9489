/** A model whose engine remembers what prefill was asked and what it gave, for laws about what was held when. */
import type { PrefillRequest, PrefillResult } from "../../src/engine/index.ts";
import type { Model } from "../../src/index.ts";

export interface PrefillCall {
  readonly request: PrefillRequest;
  readonly result: PrefillResult;
}

export function recorded<M extends Model>(model: M): { readonly model: M; readonly calls: readonly PrefillCall[] } {
  const calls: PrefillCall[] = [];
  const { engine } = model;
  const prefill = async (request: PrefillRequest) => {
    const result = await engine.prefill(request);
    calls.push({ request, result });
    return result;
  };
  return { model: { ...model, engine: { ...engine, prefill } }, calls };
}
