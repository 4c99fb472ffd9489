/** Opens a model's files on the disk, where its weights stay until they are read. */
import { statSync } from "node:fs";
import { diskFolder } from "./disk-folder.ts";
import { isGguf, type ModelFiles, notAModel, openGgufModel, openModelFolder } from "./files.ts";
import { attempt, openRangeFile } from "./weights/disk-file.ts";

export type { ModelFiles } from "./files.ts";

/**
 * Opens and checks a model.
 *
 * @param path a folder with config.json and model.safetensors (or its index), or with one GGUF file; or a GGUF file
 * @throws KvError as `openModelFolder` does
 */
export async function openModel(path: string): Promise<ModelFiles> {
  if (attempt(path, () => statSync(path)).isDirectory()) return openModelFolder(diskFolder(path));
  if (isGguf(path)) return openGgufModel(openRangeFile(path));
  throw notAModel(path, "another kind of file");
}
