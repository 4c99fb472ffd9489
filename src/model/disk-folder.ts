import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { ModelFolder } from "./folder.ts";
import { attempt, openRangeFile } from "./weights/disk-file.ts";

export function diskFolder(path: string): ModelFolder {
  const pathOf = (name: string) => join(path, name);
  return {
    path,
    names: () => attempt(path, () => readdirSync(path)),
    has: (name) => existsSync(pathOf(name)),
    pathOf,
    open: (name) => openRangeFile(pathOf(name)),
  };
}
