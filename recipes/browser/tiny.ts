/**
 * A network of random weights that reads characters: small enough for any browser, with nothing to download. Its words mean nothing, but
 * its attention is spread out in the lowest layer and sharp in the highest, as that of trained networks is.
 */
import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import type { ModelConfig } from "../../src/index.ts";
import { configFromJson, expectedTensors } from "../../src/model/families/index.ts";
import { bytesOf, type NamedTensor, safetensorsHeader } from "../../src/model/weights/safetensors-write.ts";

const SEED = 2406;
/** Printable ASCII and the line break. */
const CHARACTERS = ["\n", ...Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i))];

const CONFIG = {
  architectures: ["LlamaForCausalLM"],
  model_type: "llama",
  vocab_size: CHARACTERS.length,
  hidden_size: 64,
  intermediate_size: 96,
  num_hidden_layers: 8,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  head_dim: 16,
  max_position_embeddings: 1024,
  rms_norm_eps: 1e-5,
  rope_theta: 10000,
  hidden_act: "silu",
  tie_word_embeddings: true,
};

const TOKENIZER = {
  version: "1.0",
  added_tokens: [],
  normalizer: null,
  pre_tokenizer: null,
  post_processor: null,
  decoder: { type: "Fuse" },
  model: {
    type: "BPE",
    unk_token: "?",
    vocab: Object.fromEntries(CHARACTERS.map((character, id) => [character, id])),
    merges: [],
  },
};

/** Its files by name, as a folder on the Hub would have them; the same at every call. */
export function tinyFiles(): ReadonlyMap<string, Uint8Array<ArrayBuffer>> {
  const config = configFromJson({ config: CONFIG, generation: null, path: "config.json" });
  const tensors = randomTensors(config);
  const json = (value: object) => new TextEncoder().encode(JSON.stringify(value));
  return new Map([
    ["config.json", json(CONFIG)],
    ["tokenizer.json", json(TOKENIZER)],
    ["model.safetensors", joined([safetensorsHeader({ format: "pt" }, tensors), ...bytesOf(tensors)])],
  ]);
}

function randomTensors(config: ModelConfig): readonly NamedTensor[] {
  const random = xoroshiro128plus(SEED);
  const normal = () =>
    Math.sqrt(-2 * Math.log(1 - uniformFloat64(random))) * Math.cos(2 * Math.PI * uniformFloat64(random));
  return expectedTensors(config).map(({ name, shape }) => {
    const [rows = 1, columns] = shape;
    const isVector = columns === undefined;
    const spread = isVector ? 0.1 : sharpness(name, config.layers) / Math.sqrt(columns);
    const data = Float32Array.from({ length: rows * (columns ?? 1) }, () => (isVector ? 1 : 0) + spread * normal());
    return { name, shape, data };
  });
}

/** Attention is as sharp as its queries and keys are long. */
function sharpness(name: string, layers: number): number {
  const [, layer] = /layers\.(\d+)\.self_attn\.[qk]_proj/.exec(name) ?? [];
  return layer === undefined ? 1 : 0.5 + (3 * Number(layer)) / (layers - 1);
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
