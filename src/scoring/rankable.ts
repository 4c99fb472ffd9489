import type { Tensor } from "../../kernels/index.ts";
import { KvError } from "../error.ts";
import type { LayerView } from "./score.ts";

/**
 * Passes scores on if they are numbers: NaN has no rank, and a kernel would turn it into an arbitrary selection.
 *
 * @throws KvError `engine_failed` naming the first layer, row and position
 */
export function rankable(scores: Tensor, { layer, candidates: { from, to } }: LayerView): Tensor {
  const broken = firstNaN(scores.data);
  if (broken === null) return scores;
  const [row, column] = [Math.floor(broken / (to - from)), broken % (to - from)];
  const path = ["scores", `layer ${layer}`, `row ${row}`, `position ${from + column}`];
  const hint = "the model's activations overflowed, or a step of the score divides by zero";
  throw new KvError({ code: "engine_failed", path, found: Number.NaN, allowed: "a number", hint });
}

/** A loop, since every score of every method comes by several times: with `findIndex` that took 0.3 % of prefill. */
function firstNaN(data: Float32Array): number | null {
  for (let i = 0; i < data.length; i++) if (Number.isNaN(data[i])) return i;
  return null;
}
