/** Brings a model's files into memory, from the server or from a file of the user's, and the model onto the GPU. */
import { KvError, type Model, modelFromFiles } from "../../../src/browser.ts";
import type { OfferedFile, OfferedModel } from "../catalogue.ts";

/** A model that is wanted: one that the server offers, or a file. */
export type Wanted = OfferedModel | File;

/** Holds one model, the last that was wanted. */
export class LoadedModel {
  #wanted: Wanted | null = null;
  #model: Model | null = null;

  /**
   * @param onProgress called with the share of the bytes that are there, and again with that of those on the GPU
   * @throws KvError as `modelFromFiles` does, `download_failed`, `aborted`
   */
  async get(wanted: Wanted, signal: AbortSignal, onProgress: (share: number) => void): Promise<Model> {
    if (this.#model !== null && this.#wanted === wanted) return this.#model;
    this.#model?.[Symbol.dispose](); // first, because there may not be memory for two
    this.#model = null;
    const isFile = wanted instanceof File;
    const files = isFile ? await filesOf(wanted) : await download(wanted.files, signal, onProgress);
    this.#model = await modelFromFiles(isFile ? wanted.name : wanted.id, files, {
      signal,
      onProgress: (done, total) => onProgress(done / total),
    });
    this.#wanted = wanted;
    return this.#model;
  }
}

const filesOf = async (file: File) => new Map([[file.name, new Uint8Array(await file.arrayBuffer())]]);

async function download(files: readonly OfferedFile[], signal: AbortSignal, onProgress: (share: number) => void) {
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  const contents = new Map<string, Uint8Array<ArrayBuffer>>();
  let done = 0;
  for (const { name, url, bytes } of files) {
    const content = new Uint8Array(bytes);
    let at = 0;
    for await (const part of partsOf(url, signal)) {
      if (at + part.length > bytes) throw failed(url, "longer than was said", `${bytes} bytes`);
      content.set(part, at);
      at += part.length;
      onProgress((done + at) / total);
    }
    if (at < bytes) throw failed(url, `${at} bytes`, `${bytes} bytes`);
    done += bytes;
    contents.set(name, content);
  }
  return contents;
}

async function* partsOf(url: string, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  try {
    const response = await fetch(url, { signal });
    if (!response.ok || response.body === null) throw failed(url, `status ${response.status}`, "there");
    const reader = response.body.getReader(); // not every browser iterates over streams
    for (let { done, value } = await reader.read(); !done; { done, value } = await reader.read())
      if (value !== undefined) yield value;
  } catch (cause) {
    if (cause instanceof KvError) throw cause;
    const path = ["model", url];
    if (signal.aborted) throw new KvError({ code: "aborted", path, found: "aborted", allowed: "not aborted", cause });
    throw failed(url, String(cause), "to be had from the server", cause);
  }
}

const failed = (url: string, found: string, allowed: string, cause?: unknown): KvError =>
  new KvError({ code: "download_failed", path: ["model", url], found, allowed, cause });
