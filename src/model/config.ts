/** What a decoder is, independent of the file that says so. One family file (`families/*.ts`) makes it from config.json or GGUF metadata. */

/** Llama 3's frequency scaling of RoPE, as its config.json names it. */
export interface Llama3RopeScaling {
  readonly type: "llama3";
  readonly factor: number;
  readonly lowFreqFactor: number;
  readonly highFreqFactor: number;
  readonly originalContextLength: number;
}

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
  readonly rope: { readonly theta: number; readonly scaling: Llama3RopeScaling | null };
  /** The output projection is the embedding table. */
  readonly tiedEmbeddings: boolean;
  /** Per layer: a query at i sees keys j with i - window < j <= i; null sees every earlier key. */
  readonly slidingWindow: readonly (number | null)[];
  readonly bosToken: number | null;
  /** Tokens at which generation stops unless told otherwise. */
  readonly eosTokens: readonly number[];
}
