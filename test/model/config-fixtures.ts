/** The tiny fixtures' config.json files, as they are or changed. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { configFromJson } from "../../src/model/families/index.ts";

export const fixture = (name: string): Record<string, unknown> =>
  JSON.parse(readFileSync(join(import.meta.dir, "../fixtures/tiny", name, "config.json"), "utf8"));

export const read = (config: unknown, generation: unknown = null) =>
  configFromJson({ config, generation, path: "config.json" });

export const llama = (more: object = {}) => read({ ...fixture("llama"), ...more });
