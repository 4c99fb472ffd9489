/**
 * The decoder on the device: every stage of every layer recorded for some rows of tokens. What a row attends to is the caller's: prompts
 * over their own entries, steps over pages.
 */
import type { GpuArrays, GpuTensor } from "../../../kernels/gpu/arrays.ts";
import type { Entries } from "../../../kernels/move-rows/index.ts";
import { networkKernels } from "../../../kernels/network.ts";
import type { NetworkKernels } from "../../../kernels/network-kernels.ts";
import type { ModelConfig } from "../../model/config.ts";
import type { RotaryBlocks } from "./rotary.ts";
import type { Attend, Results, Rows } from "./rows.ts";
import { Scratch } from "./scratch.ts";
import type { LayerWeights, NetworkWeights } from "./weights.ts";

export class Network implements Disposable {
  readonly #config: ModelConfig;
  readonly #weights: NetworkWeights;
  readonly #rotary: RotaryBlocks;
  readonly #scratch: Scratch;
  readonly #gpu: GpuArrays["gpu"];
  readonly #kernels: NetworkKernels;

  /** @param weights which stay their owner's */
  constructor(arrays: GpuArrays, config: ModelConfig, weights: NetworkWeights, rotary: RotaryBlocks, fast: boolean) {
    this.#config = config;
    this.#rotary = rotary;
    this.#gpu = arrays.gpu;
    this.#scratch = new Scratch(arrays);
    this.#weights = weights;
    this.#kernels = networkKernels(arrays.gpu, fast);
  }

  /** Records a run through all layers. What it leaves is good until the next. */
  run({ tokens, ...rows }: Rows, attend: Attend): Results {
    const layers = Array.from({ length: this.#config.layers }, (_, layer) => layer);
    return this.#through(layers, () => this.embedded(tokens), rows, attend);
  }

  /** Records a run through one layer of what `hidden` brings from the one below, [S, hidden], which becomes what goes on to the next. */
  runLayer(layer: number, hidden: () => GpuTensor, rows: Omit<Rows, "tokens">, attend: Attend): Results {
    return this.#through([layer], hidden, rows, attend);
  }

  /** New entries and queries are of these layers alone, one below the other. */
  #through(
    layers: readonly number[],
    hidden: () => GpuTensor,
    { positions, logitsFrom, queries }: Omit<Rows, "tokens">,
    attend: Attend,
  ): Results {
    const { kvHeads, queryHeads: heads, headDim, hiddenSize, vocabSize, queryScale, normEpsilon } = this.#config;
    const { matmul, rotate } = this.#kernels;
    const scratch = this.#scratch;
    const rows = positions.length;
    const rotation = this.#rotary.at(positions);
    const places = scratch.numbers("rows of tables", Uint32Array.from(rotation.rows));
    const normed = scratch.of("normed", rows, hiddenSize);
    const before = scratch.of("queries before RoPE", queries ? layers.length * rows : 1, heads * headDim);
    const turned = scratch.of("queries", heads, rows, headDim);
    const mixed = scratch.of("attention", rows, heads * headDim);
    const joint = scratch.of("joint", rows, (heads + 2 * kvHeads) * headDim);
    const fresh = this.#fresh(positions, layers.length);
    const residual = hidden(); // after all that is written, so that nothing recorded is cut in two
    // New entries of all layers lie one below the other; a layer's begin at its own row.
    const byHead = (array: GpuTensor): GpuTensor => ({ ...array, dims: [kvHeads, rows, headDim] });
    this.#norm(residual, null, this.#layer(layers[0] ?? 0).inputNorm, normed);
    for (const [i, layer] of layers.entries()) {
      const weights = this.#layer(layer);
      matmul(normed, weights.joint, joint, { bias: weights.jointBias });
      const norm = weights.headNorms === null ? null : { scales: weights.headNorms, epsilon: normEpsilon };
      const turns = { positions: places, turns: rotation.layers[layer] ?? places };
      const watched = { unturned: queries ? before : null, unturnedFrom: i * rows };
      const own = { keys: byHead(fresh.keys), values: byHead(fresh.values), at: i * kvHeads * rows };
      rotate(joint, { heads, kvHeads, queryScale, norm, ...turns }, { queries: turned, ...watched, ...own });
      attend({ layer, queries: turned, out: mixed }, fresh);
      this.#feed(weights, mixed, residual, normed);
      this.#norm(residual, this.#fed(weights, rows), this.#normAfter(layer), normed);
    }
    const first = logitsFrom ?? rows;
    const logits = scratch.of("logits", rows - first, vocabSize);
    if (first < rows) matmul(this.#rowsFrom(normed, first), this.#weights.head, logits);
    return { logits, queries: { ...before, dims: [layers.length, rows, heads * headDim] }, entries: fresh };
  }

  /** What scales what a layer hands on. */
  #normAfter(layer: number): GpuTensor {
    return layer + 1 < this.#config.layers ? this.#layer(layer + 1).inputNorm : this.#weights.finalNorm;
  }

  /** What goes into the lowest layer for some tokens: [S, hidden]; it is good until the next run. */
  embedded(tokens: Int32Array): GpuTensor {
    const { hiddenSize, embeddingScale } = this.#config;
    const residual = this.#scratch.of("residual", tokens.length, hiddenSize);
    const numbers = this.#scratch.numbers("tokens", Uint32Array.from(tokens));
    this.#kernels.embed(numbers, this.#weights.embeddings, embeddingScale, residual);
    return residual;
  }

  /** Room for the new entries of so many layers; their positions are there. */
  #fresh(positions: Int32Array, layers: number): Entries {
    const { kvHeads, headDim } = this.#config;
    const count = layers * kvHeads * positions.length;
    const each = Uint32Array.from({ length: count }, (_, i) => positions[i % positions.length] ?? 0);
    return {
      keys: this.#scratch.of("new keys", count, headDim),
      values: this.#scratch.of("new values", count, headDim),
      positions: this.#scratch.numbers("new positions", each),
    };
  }

  /** From a layer's attention to what its feed-forward network gives, which `#fed` has. */
  #feed(weights: LayerWeights, mixed: GpuTensor, residual: GpuTensor, normed: GpuTensor): void {
    const { matmul, gate } = this.#kernels;
    const { intermediateSize, activation } = this.#config;
    const [rows = 0, hidden = 0] = residual.dims;
    const attended = this.#scratch.of("attended", rows, hidden);
    matmul(mixed, weights.output, attended);
    this.#norm(residual, this.#normed(attended, weights.afterAttention), weights.beforeFeedForward, normed);
    const both = this.#scratch.of("gate and up", rows, 2 * intermediateSize);
    const gated = this.#scratch.of("gated", rows, intermediateSize);
    matmul(normed, weights.gateAndUp, both);
    gate(both, activation, gated);
    matmul(gated, weights.down, this.#scratch.of("fed", rows, hidden));
  }

  #fed({ afterFeedForward }: LayerWeights, rows: number): GpuTensor {
    return this.#normed(this.#scratch.of("fed", rows, this.#config.hiddenSize), afterFeedForward);
  }

  /** A part's output after its own norm, on networks that have one. */
  #normed(part: GpuTensor, scale: GpuTensor | null): GpuTensor {
    if (scale === null) return part;
    const out = this.#scratch.of("part", ...part.dims);
    this.#norm(part, null, scale, out);
    return out;
  }

  #norm(residual: GpuTensor, x: GpuTensor | null, scale: GpuTensor, out: GpuTensor): void {
    this.#kernels.addNorm(residual, x, scale, this.#config.normEpsilon, out);
  }

  /** The last rows, as an array of their own. */
  #rowsFrom(array: GpuTensor, first: number): GpuTensor {
    const [rows = 0, width = 0] = array.dims;
    if (first === 0) return array;
    const own = this.#scratch.of("last rows", rows - first, width);
    const bytes = Float32Array.BYTES_PER_ELEMENT * width;
    this.#gpu.copy(array.block, first * bytes, own.block, 0, (rows - first) * bytes);
    return own;
  }

  #layer(layer: number): LayerWeights {
    const weights = this.#weights.layers[layer];
    if (weights === undefined) throw new RangeError(`no layer ${layer}`);
    return weights;
  }

  [Symbol.dispose](): void {
    this.#kernels[Symbol.dispose]();
    this.#scratch[Symbol.dispose]();
  }
}
