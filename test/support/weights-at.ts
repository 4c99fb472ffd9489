/** Weight files on the disk, by path. */
import { basename, dirname } from "node:path";
import { diskFolder } from "../../src/model/disk-folder.ts";
import { openRangeFile } from "../../src/model/weights/disk-file.ts";
import { type Gguf, openGguf } from "../../src/model/weights/gguf.ts";
import { openSafetensors } from "../../src/model/weights/safetensors.ts";
import type { Weights } from "../../src/model/weights/weights.ts";

export const ggufAt = (path: string): Gguf => openGguf(openRangeFile(path));

export const safetensorsAt = (path: string): Weights => openSafetensors(diskFolder(dirname(path)), basename(path));
