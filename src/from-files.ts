/** Loads a model whose files are in memory, as a browser has them. */
import { z } from "zod";
import { webgpuEngine } from "./engine/webgpu/index.ts";
import { openGpu } from "./gpu/index.ts";
import { loaded, type Model } from "./loaded.ts";
import { openModelFolder } from "./model/files.ts";
import { memoryFolder } from "./model/folder.ts";
import { callbackOption, checked, signalOption } from "./options.ts";

export interface FromFilesOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called with the bytes of the weights that have come to the device, and all of them. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

const schema = z.object({ signal: signalOption, onProgress: callbackOption<(done: number, total: number) => void>() });

/**
 * Readies a model for the GPU, wherever its files came from: a server, or a file that the user chose.
 *
 * @param id names the model in messages and provenance
 * @param files by name: one `.gguf`, or what a folder on the Hub has, of which config.json and model.safetensors (or its index and the files
 *   that it names) must be there, and generation_config.json, tokenizer.json, tokenizer_config.json and chat_template.jinja are read. Not
 *   copied: they must not change while the model is in use
 * @throws KvError with what is wrong: `device_unavailable` without WebGPU, `out_of_memory`, `aborted`, `invalid_option`, or what is wrong with
 *   a file
 */
export async function modelFromFiles(
  id: string,
  files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>,
  options: FromFilesOptions = {},
): Promise<Model> {
  const bringing = checked(schema, options, "modelFromFiles");
  using parts = new DisposableStack();
  const opened = parts.use(openModelFolder(memoryFolder(id, files)));
  const gpu = parts.use(await openGpu());
  const engine = await webgpuEngine(opened.config, opened.weights, gpu, bringing);
  parts.move(); // the engine's from now on
  return loaded({ id, revision: null, files: opened, engine, threads: 1 });
}
