/** llama.cpp's names for tensors, and Hugging Face's. */

type Names = Readonly<Record<string, string>>;

const whole: Names = {
  token_embd: "model.embed_tokens",
  output_norm: "model.norm",
  output: "lm_head",
};

const inLayer: Names = {
  attn_norm: "input_layernorm",
  attn_q: "self_attn.q_proj",
  attn_k: "self_attn.k_proj",
  attn_v: "self_attn.v_proj",
  attn_qkv: "self_attn.qkv_proj",
  attn_q_norm: "self_attn.q_norm",
  attn_k_norm: "self_attn.k_norm",
  attn_output: "self_attn.o_proj",
  post_attention_norm: "post_attention_layernorm",
  ffn_norm: "post_attention_layernorm",
  ffn_gate: "mlp.gate_proj",
  ffn_up: "mlp.up_proj",
  ffn_down: "mlp.down_proj",
  post_ffw_norm: "post_feedforward_layernorm",
};

/** What llama.cpp calls the same in architectures where it is something else. */
const differing: Readonly<Record<string, Names>> = {
  phi3: { ffn_up: "mlp.gate_up_proj" },
  gemma3: { ffn_norm: "pre_feedforward_layernorm" },
};

/**
 * Hugging Face's name for a GGUF tensor: `blk.3.attn_q.weight` is `model.layers.3.self_attn.q_proj.weight`.
 *
 * A part without a translation stays as it is, still inside its layer, so that a family can tell what it does not know.
 *
 * @param architecture the file's `general.architecture`
 */
export function huggingFaceName(name: string, architecture: string): string {
  const [, layer, part = "", kind = ""] = /^(?:blk\.(\d+)\.)?(.+)\.(weight|bias)$/.exec(name) ?? [];
  if (part === "") return name;
  if (layer === undefined) return `${translated(part, whole)}.${kind}`;
  return `model.layers.${layer}.${translated(part, { ...inLayer, ...translations(architecture) })}.${kind}`;
}

const translations = (architecture: string): Names =>
  Object.hasOwn(differing, architecture) ? (differing[architecture] ?? {}) : {};

/** Names come from files: one may be called like a property that every object has. */
const translated = (part: string, names: Names): string => (Object.hasOwn(names, part) ? (names[part] ?? part) : part);
