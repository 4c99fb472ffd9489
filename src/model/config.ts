/** What a decoder is, independent of the file that says so. One family file (`families/*.ts`) makes it from config.json or GGUF metadata. */

/** Llama 3's frequency scaling of RoPE, as its config.json names it. */
export interface Llama3RopeScaling {
  readonly type: "llama3";
  readonly factor: number;
  readonly lowFreqFactor: number;
  readonly highFreqFactor: number;
  readonly originalContextLength: number;
}

/** Position interpolation: every frequency divided by `factor`. @see https://arxiv.org/abs/2306.15595 */
export interface LinearRopeScaling {
  readonly type: "linear";
  readonly factor: number;
}

/** A rotary position embedding: its base, and what is done to its frequencies. */
export interface Rope {
  readonly theta: number;
  readonly scaling: Llama3RopeScaling | LinearRopeScaling | null;
}

/** What gates the feed-forward network: SiLU, or GELU by its tanh approximation. */
export type Activation = "silu" | "gelu-tanh";

export interface ModelConfig {
  readonly family: string;
  readonly layers: number;
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  readonly queryHeads: number;
  /** Divides `queryHeads`; query head h reads KV head floor(h / (queryHeads / kvHeads)). */
  readonly kvHeads: number;
  readonly headDim: number;
  readonly vocabSize: number;
  /** Longest sequence of positions the model was made for. */
  readonly contextLength: number;
  readonly normEpsilon: number;
  readonly rope: Rope;
  /** RoPE of the layers with a sliding window, where it is another; null where it is `rope`. */
  readonly slidingRope: Rope | null;
  /** The output projection is the embedding table. */
  readonly tiedEmbeddings: boolean;
  /** What embeddings are multiplied by on their way into the first layer; the output projection is not. */
  readonly embeddingScale: number;
  /** Per layer: a query at i sees keys j with i - window < j <= i; null sees every earlier key. */
  readonly slidingWindow: readonly (number | null)[];
  /** Queries, keys and values have biases. */
  readonly attentionBias: boolean;
  /** Each head's query and key is normalised before RoPE. */
  readonly queryKeyNorm: boolean;
  /**
   * What queries are multiplied by before RoPE, so that attention divides their products with keys by sqrt(headDim) in every network; 1 in
   * most.
   */
  readonly queryScale: number;
  /** What attention and the feed-forward network give is normalised as well, before it is added. */
  readonly postNorms: boolean;
  readonly activation: Activation;
  readonly bosToken: number | null;
  /** Tokens at which generation stops unless told otherwise. */
  readonly eosTokens: readonly number[];
}
