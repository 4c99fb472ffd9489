/** What caches kept of a prompt, in pages that forks share: they come back when the last of them lets go. */

import { PAGE } from "../../../kernels/paged-attention/index.ts";
import type { HeadPages } from "./head-pages.ts";
import type { PageStore } from "./page-store.ts";

/** All of a prompt, where it lies. */
export interface Whole extends Disposable {
  /** Bytes taken for keys and values. */
  readonly bytes: number;
  /** The same for one more owner, who disposes it. */
  share(): Whole;
  inPages(selection: null): readonly HeadPages[];
}

export class KeptPages {
  readonly #store: PageStore;
  #source: { readonly prompt: Whole } | null;
  #layers: readonly HeadPages[] | null;
  #users = 1;

  private constructor(store: PageStore, layers: readonly HeadPages[] | null, prompt: Whole | null) {
    this.#store = store;
    this.#layers = layers;
    this.#source = prompt === null ? null : { prompt: prompt.share() };
  }

  /** Pages that nobody else has. */
  static of(store: PageStore, layers: readonly HeadPages[]): KeptPages {
    return new KeptPages(store, layers, null);
  }

  /** All of a prompt, where it lies: it comes into pages when something first reads them. */
  static whole(store: PageStore, prompt: Whole): KeptPages {
    return new KeptPages(store, null, prompt);
  }

  /** Of each layer. */
  get layers(): readonly HeadPages[] {
    if (this.#layers === null) {
      this.#layers = this.#source?.prompt.inPages(null) ?? this.#store.empty();
      this.#source?.prompt[Symbol.dispose]();
      this.#source = null;
    }
    return this.#layers;
  }

  /** Bytes taken for keys and values. */
  get bytes(): number {
    if (this.#layers === null) return this.#source?.prompt.bytes ?? 0;
    return pageBytes(this.#layers, this.#store.geometry.headDim);
  }

  share(): this {
    this.#users++;
    return this;
  }

  release(): void {
    this.#users--;
    if (this.#users > 0) return;
    if (this.#layers !== null) this.#store.release(this.#layers);
    this.#source?.prompt[Symbol.dispose]();
    this.#source = null;
  }
}

/** Bytes of keys and values in some pages. */
export const pageBytes = (layers: readonly HeadPages[], headDim: number): number =>
  layers.reduce((sum, { pages }) => sum + pages.flat().length, 0) * PAGE * headDim * 2 * Float32Array.BYTES_PER_ELEMENT;
