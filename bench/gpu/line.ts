/** One line of the report: what was measured, beside the device's limit and the goal. */

export interface Line {
  readonly what: string;
  readonly measured: string;
  /** Of the device, in this run; "" where nothing compares. */
  readonly limit: string;
  /** The figure that the goal speaks of; "" where there is none. */
  readonly figure: string;
  readonly goal: Goal | null;
  /** The same in numbers, in SI units, for programs. */
  readonly numbers: Readonly<Record<string, number>>;
}

export interface Goal {
  readonly text: string;
  readonly met: boolean;
  /** Whether it counts on software devices and at other sizes too: what no clock is needed for. */
  readonly anywhere?: boolean;
}

/** A line that only informs. */
export const told = (what: string, measured: string, numbers: Line["numbers"], limit = "", figure = ""): Line => ({
  what,
  measured,
  limit,
  figure,
  goal: null,
  numbers,
});

const PREFIXES = ["", "k", "M", "G", "T", "P"] as const;

/** Three digits and a prefix: 4.31 TB/s. */
export function amount(value: number, unit: string): string {
  const power = Math.min(PREFIXES.length - 1, Math.max(0, Math.floor(Math.log10(value) / 3)));
  const scaled = value / 1000 ** (Number.isFinite(power) ? power : 0);
  const digits = scaled >= 100 ? 0 : scaled >= 10 ? 1 : 2;
  return `${scaled.toFixed(digits)} ${PREFIXES[power] ?? ""}${unit}`;
}

export const percent = (share: number): string => `${(100 * share).toFixed(share < 0.1 ? 2 : 0)} %`;

export const times = (ratio: number): string => `${ratio.toFixed(2)}x`;

export function duration(seconds: number): string {
  if (seconds < 1e-3) return `${(1e6 * seconds).toFixed(1)} µs`;
  return seconds < 1 ? `${(1e3 * seconds).toFixed(2)} ms` : `${seconds.toFixed(1)} s`;
}
