/** A network's weights on the device: matrices as their files store them, vectors in fp32. */
import type { GpuArrays, GpuTensor } from "../../../kernels/gpu/arrays.ts";
import type { GpuMatrix } from "../../../kernels/gpu/matrix/matrix.ts";
import type { ModelConfig } from "../../model/config.ts";
import { decoderTensors } from "../../model/families/decoder.ts";
import type { Weights } from "../../model/weights/weights.ts";
import { Bringer, type BringOptions, leastBytesOf } from "./bring.ts";
import { ofWeights, tooLarge } from "./out-of-memory.ts";

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
  /** A row for each token. */
  readonly embeddings: GpuMatrix;
  readonly layers: readonly LayerWeights[];
  readonly finalNorm: GpuTensor;
  /** From the last layer to logits: the embeddings again, where the network has them tied. */
  readonly head: GpuMatrix;
  /** That they take on the device. */
  readonly bytes: number;
}

/**
 * Brings a network's weights to the device. Whatever it throws, nothing stays there.
 *
 * @throws KvError `out_of_memory` with what all weights need, before anything is brought where it is certain; `aborted`
 */
export async function uploadWeights(
  arrays: GpuArrays,
  config: ModelConfig,
  weights: Weights,
  options: BringOptions = {},
): Promise<NetworkWeights> {
  const { gpu } = arrays;
  const before = gpu.used;
  const names = decoderTensors(config).map(({ name }) => name);
  const needed = leastBytesOf(weights, names);
  const free = gpu.limits.memory - before;
  if (needed > free) throw tooLarge(needed, free, before);
  using stack = new DisposableStack();
  const bringer = stack.use(new Bringer(arrays, weights, names, options));
  try {
    const embeddings = await bringer.matrix("model.embed_tokens.weight");
    const layers: LayerWeights[] = [];
    for (let index = 0; index < config.layers; index++) layers.push(await layerWeights(bringer, config, index));
    const finalNorm = await bringer.vector("model.norm.weight");
    const head = config.tiedEmbeddings ? embeddings : await bringer.matrix("lm_head.weight");
    const owned = stack.move();
    const free = () => owned[Symbol.dispose]();
    return { embeddings, layers, finalNorm, head, bytes: gpu.used - before, [Symbol.dispose]: free };
  } catch (fault) {
    throw ofWeights(fault, needed, gpu.used);
  }
}

async function layerWeights(
  bringer: Bringer,
  { attentionBias, queryKeyNorm, postNorms }: ModelConfig,
  index: number,
): Promise<LayerWeights> {
  const name = (part: string, kind = "weight") => `model.layers.${index}.${part}.${kind}`;
  const joint = ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"];
  const attended = await bringer.vector(name("post_attention_layernorm"));
  return {
    inputNorm: await bringer.vector(name("input_layernorm")),
    joint: await bringer.matrix(...joint.map((part) => name(part))),
    jointBias: attentionBias ? await bringer.vector(...joint.map((part) => name(part, "bias"))) : null,
    headNorms: queryKeyNorm ? await bringer.vector(name("self_attn.q_norm"), name("self_attn.k_norm")) : null,
    output: await bringer.matrix(name("self_attn.o_proj")),
    // Without norms after each part, this name means the one before the feed-forward network.
    afterAttention: postNorms ? attended : null,
    beforeFeedForward: postNorms ? await bringer.vector(name("pre_feedforward_layernorm")) : attended,
    afterFeedForward: postNorms ? await bringer.vector(name("post_feedforward_layernorm")) : null,
    gateAndUp: await bringer.matrix(name("mlp.gate_proj"), name("mlp.up_proj")),
    down: await bringer.matrix(name("mlp.down_proj")),
  };
}
