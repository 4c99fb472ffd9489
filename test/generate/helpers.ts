/** What the tests of generation share: a model that counts its steps, and prompts. */
import type { Model } from "../../src/load.ts";
import { uniform } from "../support/random.ts";

/** The same model, with a count of the tokens that its engine decoded. */
export function counted(model: Model): { readonly model: Model; readonly steps: () => number } {
  let steps = 0;
  const engine: Model["engine"] = {
    ...model.engine,
    step: (batch) => {
      steps += batch.length;
      return model.engine.step(batch);
    },
  };
  return { model: { ...model, engine }, steps: () => steps };
}

export function promptOf(length: number, seed: number, vocabSize = 64): Int32Array {
  const next = uniform(seed);
  return Int32Array.from({ length }, () => Math.floor(next() * vocabSize));
}
