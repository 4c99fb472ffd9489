/** What runs wherever there is JavaScript: all stages after loading, methods and their parts. Nothing here knows of disks or runtimes. */
export * from "./allocation/index.ts";
export { type BlockOptions, type CompressInBlocksOptions, compressInBlocks } from "./blocks/index.ts";
export { KvCache } from "./cache/cache.ts";
export type { Decider, Decision, Evictor, Held, Sight, TokenSight, Workplace } from "./cache/decider.ts";
export { compress, retain } from "./compress.ts";
export { compressByLayer } from "./compress-by-layer.ts";
export type { Context } from "./context.ts";
export * from "./decoding/index.ts";
export type { Engine, Precision } from "./engine/index.ts";
export { KvError, type KvErrorCode } from "./error.ts";
export { type ExtendOptions, extend } from "./generate/extend.ts";
export {
  type BatchOptions,
  type FinishReason,
  type Generated,
  type GeneratedToken,
  type GenerateOptions,
  generate,
  generateBatch,
  type IndexedToken,
  type StepOptions,
  step,
} from "./generate/generate.ts";
export type { Model, Provenance } from "./loaded.ts";
export * from "./merging/index.ts";
export * from "./methods/index.ts";
export type { ModelConfig } from "./model/config.ts";
export type { ChatMessage } from "./model/tokenizer/chat.ts";
export type { Tokenizer } from "./model/tokenizer/tokenizer.ts";
export type { Observation } from "./observation.ts";
export { type Answer, type Pipeline, type PipelineOptions, pipeline } from "./pipeline.ts";
export { type PrefillOptions, prefill } from "./prefill.ts";
export type { TokenPieces } from "./prompt.ts";
export { quantise } from "./quantise.ts";
export * from "./scoring/index.ts";
export { version } from "./version.ts";
