/** The files of a model, on a disk or in memory: what opening one asks of the place where they lie. */
import { KvError } from "../error.ts";
import { memoryFile, type RangeFile } from "./weights/range-file.ts";

export interface ModelFolder {
  /** As messages name the folder. */
  readonly path: string;
  /** Of the files in it. @throws KvError `access_denied`, `disk_error` */
  names(): readonly string[];
  has(name: string): boolean;
  /** As messages name a file. */
  pathOf(name: string): string;
  /** @throws KvError `model_not_found`, `access_denied`, `disk_error` */
  open(name: string): RangeFile;
}

/** @param files by name; their bytes are not copied, and must stay as they are */
export function memoryFolder(path: string, files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>): ModelFolder {
  const pathOf = (name: string) => `${path}/${name}`;
  return {
    path,
    names: () => [...files.keys()],
    has: (name) => files.has(name),
    pathOf,
    open(name) {
      const bytes = files.get(name);
      if (bytes !== undefined) return memoryFile(pathOf(name), bytes);
      const fault = { found: "absent", allowed: "among the model's files" };
      throw new KvError({ code: "model_not_found", path: [pathOf(name)], ...fault });
    },
  };
}
