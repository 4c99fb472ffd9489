/**
 * A matrix of the network on a device, [rows, columns], as it was stored: fp32, fp16, or quantised in blocks along its rows.
 *
 * Values lie in rows of whole 16 bytes, which an invocation reads at once: 4 columns of fp32, 8 of fp16, 16 of 8 bits, 32 of 4 bits;
 * zeros follow where a row has not as many. Scales lie apart, so that neighbours read neighbouring 16 bytes.
 */
import type { Block } from "../../../src/gpu/index.ts";

export interface GpuMatrix extends Disposable {
  readonly rows: number;
  readonly columns: number;
  /** One below the other: what one buffer has no room for, or what is stored otherwise. */
  readonly parts: readonly MatrixPart[];
}

export interface MatrixPart {
  readonly from: number;
  readonly rows: number;
  readonly form: MatrixForm;
  readonly values: Block;
  /** Of quantised matrices: scales, with offsets if there are any. */
  readonly scales: Block | null;
}

/** What programs that read matrices differ in. */
export interface MatrixForm {
  readonly type: "f32" | "f16" | "q8" | "q4";
  /** Columns that share a scale; 32 where there are none. */
  readonly block: 16 | 32;
  /** value = (q - zero) scale + offset: whether there are offsets. */
  readonly offsets: boolean;
  /** Whether scales and offsets are fp16, as most types store them. */
  readonly halfScales: boolean;
}

/** Columns in 16 bytes. */
export const COLUMNS = { f32: 4, f16: 8, q8: 16, q4: 32 } as const;

export const isQuantised = ({ type }: MatrixForm): boolean => type === "q8" || type === "q4";

/** What q stands at when the value is 0 or the offset. Numbers of 4 bits with offsets are counted from 0, so that offsets are the stored minima. */
export const zeroOf = ({ type, offsets }: Pick<MatrixForm, "type" | "offsets">): number =>
  type === "q8" ? 128 : offsets ? 0 : 8;

/** Equal for equal forms. */
export const nameOf = ({ type, block, offsets, halfScales }: MatrixForm): string =>
  `${type}${block}${offsets ? "+" : ""}${halfScales ? "h" : ""}`;
