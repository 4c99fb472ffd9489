/**
 * The same stages in a browser, on its WebGPU: modelFromFiles -> prefill -> compress -> generate. The main entry without what needs a disk or
 * a process: downloads, saved caches, measurements and the CPU engine.
 */
export { type FromFilesOptions, modelFromFiles } from "./from-files.ts";
export * from "./funnel/index.ts";
export * from "./portable.ts";
