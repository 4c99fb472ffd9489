/** How large everything is that is measured: the real sizes here, tiny ones where only the code is to be tried. */
export interface Sizes {
  /** Entries that compression leaves per KV head. */
  readonly budget: number;
  /** Tokens decoded in one sample. */
  readonly steps: number;
  /** Tokens of the prompt that is not compressed at all. */
  readonly small: number;
  readonly sweep: { readonly length: number; readonly budgets: readonly number[] };
  /** Tokens of the prefill whose memory is measured. */
  readonly memory: number;
  /** From this prompt length on the compression's share of the prefill is asked for; and the short prompt it is compared with. */
  readonly long: number;
  readonly short: number;
  /** kvpress's full cache is measured up to here: one more prefill at 8000 would take minutes. */
  readonly kvpressFull: number;
  /** Of the hardware's limit: rows of the products' input, size of the square matrix whose weights are read, tries of each. */
  readonly limit: { readonly rows: number; readonly square: number; readonly tries: number };
}

export const SIZES: Sizes = {
  budget: 128,
  steps: 16,
  small: 128,
  sweep: { length: 1000, budgets: [64, 128, 256] },
  memory: 8000,
  long: 8000,
  short: 1000,
  kvpressFull: 2048,
  limit: { rows: 512, square: 8192, tries: 12 },
};
