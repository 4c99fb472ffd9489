/** Loads a model whose files are in memory, as a browser has them. */
import { webgpuEngine } from "./engine/webgpu/index.ts";
import { openGpu } from "./gpu/index.ts";
import { loaded, type Model } from "./loaded.ts";
import { openModelFolder } from "./model/files.ts";
import { memoryFolder } from "./model/folder.ts";

/**
 * Readies a model for the GPU, wherever its files came from: a server, or a file that the user chose.
 *
 * @param id names the model in messages and provenance
 * @param files by name: one `.gguf`, or what a folder on the Hub has, of which config.json and model.safetensors (or its index and the files
 *   that it names) must be there, and generation_config.json, tokenizer.json, tokenizer_config.json and chat_template.jinja are read. Not
 *   copied: they must not change while the model is in use
 * @throws KvError with what is wrong: `device_unavailable` without WebGPU, or what is wrong with a file
 */
export async function modelFromFiles(id: string, files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>): Promise<Model> {
  const opened = openModelFolder(memoryFolder(id, files));
  using parts = new DisposableStack();
  parts.use(opened);
  const gpu = parts.use(await openGpu());
  const engine = await webgpuEngine(opened.config, opened.weights, gpu);
  parts.move(); // the engine's from now on
  return loaded({ id, revision: null, files: opened, engine, threads: 1 });
}
