import type { GpuArrays, GpuTensor } from "../../../kernels/gpu/arrays.ts";
import type { TurnKeys } from "../../../kernels/turn-keys/index.ts";
import type { Turn } from "../../cache/pack.ts";

/** Turns keys on the device by so many positions each; angles are computed here, in double precision. */
export function turnSlots(
  arrays: GpuArrays,
  turn: TurnKeys,
  keys: GpuTensor,
  turns: readonly Turn[],
  frequencies: Float64Array,
): void {
  if (turns.length === 0) return;
  const amounts = [...new Set(turns.map(({ by }) => by))]; // few: sinks follow a window together
  const row = new Map(amounts.map((by, i) => [by, i]));
  using rows = arrays.numbers(
    Uint32Array.from(turns, ({ slot }) => slot),
    "turned slots",
  );
  using by = arrays.numbers(
    Uint32Array.from(turns, (one) => row.get(one.by) ?? 0),
    "turned by",
  );
  const angles = (of: (angle: number) => number, amount: number) => Array.from(frequencies, (f) => of(amount * f));
  const table = amounts.flatMap((amount) => [...angles(Math.cos, amount), ...angles(Math.sin, amount)]);
  using cosinesAndSines = arrays.numbers(Float32Array.from(table), "turns");
  turn(keys, { rows, by, table: cosinesAndSines, count: turns.length });
}
