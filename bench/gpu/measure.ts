/** Times of work on a device, and work on the processor that waits for it. */
import { max, median, min } from "simple-statistics";
import type { Gpu } from "../../src/gpu/index.ts";
import type { Scale } from "./scale.ts";

/** Seconds of one piece of work. */
export interface Timing {
  readonly median: number;
  readonly fastest: number;
  readonly slowest: number;
  /** The median by the processor's clock, for everything around it too: where it is far more, the device's clock is not to be trusted. */
  readonly wall: number;
  /** How many of it were timed together, so that handing them over is nothing beside them. */
  readonly together: number;
}

const MOST = 1000;

/** What is recorded, by the device's clock where it has one: the median of some samples after a warm-up. */
export async function timed(
  gpu: Gpu,
  { samples, least }: Pick<Scale, "samples" | "least">,
  work: () => void,
): Promise<Timing> {
  await gpu.time(work); // programs are compiled
  const once = await gpu.time(work);
  const together = Math.min(MOST, Math.max(1, Math.ceil(least / once)));
  const [times, walls]: [number[], number[]] = [[], []];
  for (let i = 0; i < samples; i++) {
    const started = performance.now();
    const own = await gpu.time(() => {
      for (let j = 0; j < together; j++) work();
    });
    times.push(own / together);
    walls.push((performance.now() - started) / 1000 / together);
  }
  return timing(times, walls, together);
}

export const timing = (times: number[], walls = times, together = 1): Timing => ({
  median: median(times),
  fastest: min(times),
  slowest: max(times),
  wall: median(walls),
  together,
});

/** Seconds on the clock until work is done, the device's share of it too. */
export async function seconds<T>(gpu: Gpu, work: () => Promise<T>): Promise<[T, number]> {
  const started = performance.now();
  const result = await work();
  await gpu.time(() => undefined); // what was only recorded
  return [result, (performance.now() - started) / 1000];
}
