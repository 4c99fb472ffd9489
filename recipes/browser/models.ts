/** The models that the server offers: a tiny one of its own, the default one where it is in the cache, and one that the user names. */
import { stat } from "node:fs/promises";
import { basename } from "node:path";
import { KvError } from "../../src/index.ts";
import { openModel } from "../../src/model/open.ts";
import { resolveModel } from "../../src/model/source/index.ts";
import type { OfferedModel } from "./catalogue.ts";
import { LETTERS, STORY, TOKENS } from "./prompts.ts";
import { tinyFiles } from "./tiny.ts";

export interface Served {
  readonly offered: OfferedModel;
  /** What stands behind each of the offered addresses: bytes, or the path of a file. */
  readonly contents: ReadonlyMap<string, Uint8Array<ArrayBuffer> | string>;
}

/**
 * @param ref a model to offer first, of any kind that `loadModel` takes
 * @throws KvError as `loadModel` does of what is wrong with `ref`
 */
export async function servedModels(ref: string | undefined): Promise<readonly Served[]> {
  const named = ref === undefined ? [] : [await onDisk(ref, 0)];
  const cached = await onDisk(undefined, named.length).catch(absent);
  const others = cached === null ? named : [...named, cached];
  return [...others, tiny(others.length)];
}

/** No download is begun for a page that does without. */
async function onDisk(ref: string | undefined, index: number): Promise<Served> {
  const { path, id } = await resolveModel(ref, { offline: ref === undefined });
  using opened = await openModel(path);
  const files = await Promise.all(opened.files.map(async (file) => ({ file, bytes: (await stat(file)).size })));
  const offered = files.map(({ file, bytes }) => ({ name: basename(file), url: urlOf(index, basename(file)), bytes }));
  const { layers, kvHeads } = opened.config;
  return {
    offered: {
      id,
      about: `${id}: ${layers} layers, ${kvHeads} KV heads, ${megabytes(offered)} MB`,
      files: offered,
      prompt: opened.tokenizer === null ? TOKENS : STORY,
      budget: 24,
    },
    contents: new Map(files.map(({ file }) => [urlOf(index, basename(file)), file])),
  };
}

function tiny(index: number): Served {
  const files = [...tinyFiles()];
  const offered = files.map(([name, { length }]) => ({ name, url: urlOf(index, name), bytes: length }));
  const about = `tiny: 8 layers of random weights that read letters, ${megabytes(offered)} MB`;
  return {
    offered: { id: "tiny", about, files: offered, prompt: LETTERS, budget: 32 },
    contents: new Map(files.map(([name, bytes]) => [urlOf(index, name), bytes])),
  };
}

const urlOf = (index: number, name: string) => `models/${index}/${encodeURIComponent(name)}`;

const megabytes = (files: OfferedModel["files"]) =>
  (files.reduce((sum, { bytes }) => sum + bytes, 0) / 1e6).toPrecision(2);

function absent(fault: unknown): null {
  if (fault instanceof KvError) return null;
  throw fault;
}
