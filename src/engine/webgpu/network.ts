/**
 * The decoder on the device: every stage of every layer recorded for some rows of tokens. What a row attends to is the caller's: prompts
 * over their own entries, steps over pages.
 */
import { addNorm } from "../../../kernels/add-norm/webgpu.ts";
import { gate } from "../../../kernels/gate/webgpu.ts";
import type { GpuArrays, GpuTensor } from "../../../kernels/gpu/arrays.ts";
import { matmul } from "../../../kernels/matmul/webgpu.ts";
import type { Entries } from "../../../kernels/move-rows/index.ts";
import { rotate } from "../../../kernels/rotate/webgpu.ts";
import type { ModelConfig } from "../../model/config.ts";
import type { Weights } from "../../model/weights/weights.ts";
import { embeddingsOf } from "../embeddings.ts";
import type { RotaryBlocks } from "./rotary.ts";
import { Scratch } from "./scratch.ts";
import { type LayerWeights, type NetworkWeights, uploadWeights } from "./weights.ts";

/** Some tokens that go through the network together. */
export interface Rows {
  readonly tokens: Int32Array;
  readonly positions: Int32Array;
  /** The first row whose logits are wanted; null for none. */
  readonly logitsFrom: number | null;
  /** Whether queries are wanted as they meet RoPE. */
  readonly queries: boolean;
}

/** What a layer's attention is given: new queries after RoPE, [H, S, d], and where its result goes, [S, H * d]. */
export interface LayerAttention {
  readonly layer: number;
  readonly queries: GpuTensor;
  readonly out: GpuTensor;
}

/** Records a layer's attention, over what the caller holds and the layer's part of the new entries, [L * KH * S, d]. */
export type Attend = (attention: LayerAttention, fresh: Entries) => void;

/** What a run leaves on the device, until the next. */
export interface Results {
  /** [rows from logitsFrom, vocab]; none if it was null */
  readonly logits: GpuTensor;
  /** [L, S, H * d], if they were asked for. */
  readonly queries: GpuTensor;
  /** [L * KH * S, d] */
  readonly entries: Entries;
}

export class Network implements Disposable {
  readonly #config: ModelConfig;
  readonly #files: Weights;
  readonly #weights: NetworkWeights;
  readonly #rotary: RotaryBlocks;
  readonly #scratch: Scratch;
  readonly #gpu: GpuArrays["gpu"];
  readonly #kernels;

  /** Brings the weights to the device; `weights` stays open for embeddings. */
  constructor(arrays: GpuArrays, config: ModelConfig, weights: Weights, rotary: RotaryBlocks) {
    this.#config = config;
    this.#files = weights;
    this.#rotary = rotary;
    this.#gpu = arrays.gpu;
    this.#scratch = new Scratch(arrays);
    this.#weights = uploadWeights(arrays, config, weights);
    this.#kernels = {
      addNorm: addNorm(arrays, config.normEpsilon),
      matmul: matmul(arrays),
      rotate: rotate(arrays, config),
      gate: gate(arrays, config.activation),
    };
  }

  /** Records a run. What it leaves is good until the next. */
  run({ tokens, positions, logitsFrom, queries }: Rows, attend: Attend): Results {
    const { layers, kvHeads, queryHeads, headDim, hiddenSize, vocabSize } = this.#config;
    const { addNorm, matmul } = this.#kernels;
    const scratch = this.#scratch;
    const rows = tokens.length;
    const rotation = this.#rotary.at(positions);
    const turns = scratch.numbers("rows of tables", Uint32Array.from(rotation.rows));
    const residual = this.#embedded(tokens);
    const normed = scratch.of("normed", rows, hiddenSize);
    const before = scratch.of("queries before RoPE", queries ? layers * rows : 1, queryHeads * headDim);
    const turned = scratch.of("queries", queryHeads, rows, headDim);
    const mixed = scratch.of("attention", rows, queryHeads * headDim);
    const joint = scratch.of("joint", rows, (queryHeads + 2 * kvHeads) * headDim);
    const fresh = this.#fresh(positions);
    addNorm(null, residual, this.#layer(0).inputNorm, normed);
    for (let layer = 0; layer < layers; layer++) {
      const weights = this.#layer(layer);
      matmul(normed, weights.joint, joint, { bias: weights.jointBias });
      const table = rotation.layers[layer] ?? turns;
      const outputs = { queries: turned, keys: fresh.keys, values: fresh.values, firstEntry: layer * kvHeads * rows };
      const seen = { array: before, first: queries ? layer * rows : null };
      this.#kernels.rotate({ joint, norms: weights.headNorms, table, positions: turns }, { ...outputs, before: seen });
      attend({ layer, queries: turned, out: mixed }, fresh);
      this.#feed(weights, mixed, residual, normed);
      const next = layer + 1 < layers ? this.#layer(layer + 1).inputNorm : this.#weights.finalNorm;
      addNorm(this.#fed(weights, rows), residual, next, normed);
    }
    const first = logitsFrom ?? rows;
    const logits = scratch.of("logits", rows - first, vocabSize);
    if (first < rows) matmul(this.#rowsFrom(normed, first), this.#weights.head, logits);
    return { logits, queries: { ...before, dims: [layers, rows, queryHeads * headDim] }, entries: fresh };
  }

  #embedded(tokens: Int32Array): GpuTensor {
    const residual = this.#scratch.of("residual", tokens.length, this.#config.hiddenSize);
    this.#gpu.write(residual.block, 0, embeddingsOf(this.#config, this.#files, tokens));
    return residual;
  }

  /** Room for the new entries of all layers; their positions are there. */
  #fresh(positions: Int32Array): Entries {
    const { layers, kvHeads, headDim } = this.#config;
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
    const { addNorm, matmul, gate } = this.#kernels;
    const [rows = 0, hidden = 0] = residual.dims;
    const attended = this.#scratch.of("attended", rows, hidden);
    matmul(mixed, weights.output, attended);
    addNorm(this.#normed(attended, weights.afterAttention), residual, weights.beforeFeedForward, normed);
    const [gated, up] = ["gated", "up"].map((name) => this.#scratch.of(name, rows, this.#config.intermediateSize));
    if (gated === undefined || up === undefined) return;
    matmul(normed, weights.gate, gated);
    matmul(normed, weights.up, up);
    gate(gated, up);
    matmul(up, weights.down, this.#scratch.of("fed", rows, hidden));
  }

  #fed({ afterFeedForward }: LayerWeights, rows: number): GpuTensor {
    return this.#normed(this.#scratch.of("fed", rows, this.#config.hiddenSize), afterFeedForward);
  }

  /** A part's output after its own norm, on networks that have one. */
  #normed(part: GpuTensor, scale: GpuTensor | null): GpuTensor {
    if (scale === null) return part;
    const out = this.#scratch.of("part", ...part.dims);
    this.#kernels.addNorm(null, part, scale, out);
    return out;
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
    this.#weights[Symbol.dispose]();
    this.#scratch[Symbol.dispose]();
  }
}
