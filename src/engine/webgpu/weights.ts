/** A network's weights on the device: matrices as their files store them, vectors in fp32. */
import type { GpuArrays, GpuTensor } from "../../../kernels/gpu/arrays.ts";
import type { GpuMatrix } from "../../../kernels/gpu/matrix/matrix.ts";
import type { MatrixSource } from "../../../kernels/gpu/matrix/planes.ts";
import { uploadMatrix } from "../../../kernels/gpu/matrix/upload.ts";
import type { ModelConfig } from "../../model/config.ts";
import type { Weights } from "../../model/weights/weights.ts";

/** What is null the network does not have. */
export interface LayerWeights {
  readonly inputNorm: GpuTensor;
  /** Queries, keys and values side by side. */
  readonly joint: GpuMatrix;
  readonly jointBias: GpuTensor | null;
  /** Of each head's query and key: [2, d]. */
  readonly headNorms: GpuTensor | null;
  readonly output: GpuMatrix;
  /** Of the attention's output itself, on networks with norms after each part. */
  readonly afterAttention: GpuTensor | null;
  readonly beforeFeedForward: GpuTensor;
  readonly afterFeedForward: GpuTensor | null;
  /** What gates, and what is gated, one below the other. */
  readonly gateAndUp: GpuMatrix;
  readonly down: GpuMatrix;
}

export interface NetworkWeights extends Disposable {
  readonly layers: readonly LayerWeights[];
  readonly finalNorm: GpuTensor;
  readonly head: GpuMatrix;
}

/** @throws KvError `out_of_memory`, with nothing left on the device */
export function uploadWeights(
  arrays: GpuArrays,
  { layers, tiedEmbeddings, attentionBias, queryKeyNorm, postNorms }: ModelConfig,
  weights: Weights,
): NetworkWeights {
  const owned: Disposable[] = [];
  const own = <T extends Disposable>(made: T): T => {
    owned.push(made);
    return made;
  };
  const matrix = (...names: readonly string[]): GpuMatrix =>
    own(
      uploadMatrix(
        arrays.gpu,
        names.join("+"),
        names.map((name) => sourceOf(weights, name)),
      ),
    );
  const vector = (...names: readonly string[]): GpuTensor => {
    const data = Float32Array.from(names.flatMap((name) => [...weights.read(name)]));
    return own(arrays.numbers(data, names.join("+")));
  };
  const layer = (index: number): LayerWeights => {
    const name = (part: string, kind = "weight") => `model.layers.${index}.${part}.${kind}`;
    const joint = ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"];
    const attended = vector(name("post_attention_layernorm"));
    return {
      inputNorm: vector(name("input_layernorm")),
      joint: matrix(...joint.map((part) => name(part))),
      jointBias: attentionBias ? vector(...joint.map((part) => name(part, "bias"))) : null,
      headNorms: queryKeyNorm ? vector(name("self_attn.q_norm"), name("self_attn.k_norm")) : null,
      output: matrix(name("self_attn.o_proj")),
      // Without norms after each part, this name means the one before the feed-forward network.
      afterAttention: postNorms ? attended : null,
      beforeFeedForward: postNorms ? vector(name("pre_feedforward_layernorm")) : attended,
      afterFeedForward: postNorms ? vector(name("post_feedforward_layernorm")) : null,
      gateAndUp: matrix(name("mlp.gate_proj"), name("mlp.up_proj")),
      down: matrix(name("mlp.down_proj")),
    };
  };
  const free = () => {
    for (const array of owned) array[Symbol.dispose]();
  };
  try {
    return {
      layers: Array.from({ length: layers }, (_, index) => layer(index)),
      finalNorm: vector("model.norm.weight"),
      head: matrix(tiedEmbeddings ? "model.embed_tokens.weight" : "lm_head.weight"),
      [Symbol.dispose]: free,
    };
  } catch (fault) {
    free();
    throw fault;
  }
}

function sourceOf(weights: Weights, name: string): MatrixSource {
  const { shape, type } = weights.info(name);
  const [rows = 0, columns = 0] = shape;
  const matrix = weights.quantised(name);
  if (matrix !== null) return { type: "quantised", rows, columns, matrix };
  const read = (from: number, to: number) =>
    weights.readRows(
      name,
      Int32Array.from({ length: to - from }, (_, i) => from + i),
    );
  return { type: type === "F16" ? "f16" : "f32", rows, columns, read };
}
