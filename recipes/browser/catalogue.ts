/** What the server offers and the page chooses from. */

export interface OfferedFile {
  readonly name: string;
  /** Relative to the page. */
  readonly url: string;
  readonly bytes: number;
}

export interface OfferedModel {
  readonly id: string;
  /** For people. */
  readonly about: string;
  readonly files: readonly OfferedFile[];
  /** To begin with: text, or token ids where the model has no tokenizer. */
  readonly prompt: string;
  readonly budget: number;
}
