/** RoPE undone, and RoPE on average. Channel i of a vector turns together with channel i + d / 2. */
import type { Tensor } from "../../kernels/index.ts";
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
export function candidateKeysBeforeRope(view: LayerView): Tensor {
  const { keys, positions, frequencies, kvHeads, length } = view;
  const { from, to } = view.candidates;
  const half = frequencies.length;
  const [count, size] = [to - from, 2 * half];
  const unturned = new Float32Array(kvHeads * count * size);
  const [cos, sin] = [new Float64Array(half), new Float64Array(half)];
  let turnedTo = Number.NaN;
  for (let j = 0; j < count; j++)
    for (let head = 0; head < kvHeads; head++) {
      const position = positions[head * length + from + j] ?? 0;
      // Mostly the same for all heads, and the angles cost more than the rest.
      for (let pair = 0; position !== turnedTo && pair < half; pair++) {
        cos[pair] = Math.cos(position * (frequencies[pair] ?? 0));
        sin[pair] = Math.sin(position * (frequencies[pair] ?? 0));
      }
      turnedTo = position;
      const [source, target] = [(head * length + from + j) * size, (head * count + j) * size];
      for (let pair = 0; pair < half; pair++) {
        const [c, s] = [cos[pair] ?? 0, sin[pair] ?? 0];
        const [a, b] = [keys.data[source + pair] ?? 0, keys.data[source + pair + half] ?? 0];
        unturned[target + pair] = a * c + b * s;
        unturned[target + pair + half] = b * c - a * s;
      }
    }
  return { data: unturned, dims: [kvHeads, count, size] };
}
