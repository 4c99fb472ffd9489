/** RoPE undone, and RoPE on average. Channel i of a vector turns together with channel i + d / 2. */
import type { Tensor } from "../../kernels/index.ts";
import { candidateRows } from "./candidate-rows.ts";
import type { LayerView } from "./score.ts";

/** Cosines and sines by which pairs of channels turn, [d / 2] each; averages of them also shorten. */
export interface Rotation {
  readonly cos: Float64Array;
  readonly sin: Float64Array;
}

/** The mean of RoPE's rotations to positions `from` .. `from + count - 1`. @param frequencies radians per position, [d / 2] */
export function meanRotation(frequencies: Float64Array, from: number, count: number): Rotation {
  const middle = from + (count - 1) / 2;
  // A sum of rotations by equal steps is one to their middle, shortened (Dirichlet's kernel).
  const share = (frequency: number) => {
    const step = Math.sin(frequency / 2);
    return step === 0 ? 1 : Math.sin((count * frequency) / 2) / (count * step);
  };
  return {
    cos: frequencies.map((frequency) => share(frequency) * Math.cos(middle * frequency)),
    sin: frequencies.map((frequency) => share(frequency) * Math.sin(middle * frequency)),
  };
}

/** A vector [d] turned. */
export function turned(vector: Float64Array, { cos, sin }: Rotation): Float64Array {
  const half = cos.length;
  return vector.map((value, i) => {
    const pair = i % half;
    const [c, s] = [cos[pair] ?? 0, sin[pair] ?? 0];
    return i < half ? value * c - (vector[i + half] ?? 0) * s : value * c + (vector[pair] ?? 0) * s;
  });
}

/** R M R' of a matrix [d, d]: the covariance of turned vectors. */
export function turnedMatrix(matrix: Float64Array, rotation: Rotation): Float64Array {
  const size = 2 * rotation.cos.length;
  const turnRows = (of: Float64Array) => {
    const out = new Float64Array(size * size); // transposed, so that twice is both sides
    for (let r = 0; r < size; r++) {
      const row = turned(of.subarray(r * size, (r + 1) * size), rotation);
      for (let c = 0; c < size; c++) out[c * size + r] = row[c] ?? 0;
    }
    return out;
  };
  return turnRows(turnRows(matrix));
}

/** The candidates' keys before RoPE: [KH, to - from, d]. */
export async function candidateKeysBeforeRope(view: LayerView): Promise<Tensor> {
  const { keys, positions, frequencies, kvHeads, length, kernels } = view;
  const { from, to } = view.candidates;
  const at = new Int32Array(kvHeads * (to - from));
  for (let head = 0; head < kvHeads; head++)
    at.set(positions.subarray(head * length + from, head * length + to), head * (to - from));
  return kernels.beforeRope(candidateRows(await kernels.read(keys), view), at, frequencies);
}
