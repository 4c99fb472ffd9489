/** The public API of pyramidkv. The stages are functions: loadModel -> prefill -> compress -> generate, or `pipeline` for all of them. */
export type { SavedMethod, SavedProvenance } from "./cache/file-format.ts";
export { type LoadOptions, loadModel } from "./load.ts";
export * from "./measured/index.ts";
export * from "./portable.ts";
export { type LoadedCache, loadCache, type SaveOptions, saveCache } from "./saved-cache.ts";
