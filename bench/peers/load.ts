/** What else the machine does meanwhile: a timing on a busy machine is worth little, so each carries the share of others. */
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";

/** CPU seconds that the machine spent since its start, in all processes; null where the system does not say. */
function busySeconds(): number | null {
  try {
    const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] =
      readFileSync("/proc/stat", "utf8").split("\n")[0]?.trim().split(/\s+/).slice(1).map(Number) ?? [];
    return (user + nice + system + irq + softirq) / 100; // in ticks of 10 ms
  } catch {
    return null;
  }
}

/** Starts counting. The result takes the CPU seconds known to be ours and gives the share of all cores that others took. */
export function others(): (own: number) => number {
  const [busy, started] = [busySeconds(), performance.now()];
  return (own) => {
    const now = busySeconds();
    if (busy === null || now === null) return Number.NaN;
    const available = (availableParallelism() * (performance.now() - started)) / 1000;
    return Math.max(0, now - busy - own) / available;
  };
}

/** Quiet enough to time something. */
export const QUIET = 0.1;

/** Waits until others are quiet for half a second, or patience runs out. Gives the seconds of patience that are left. */
export async function quiet(patience: number): Promise<number> {
  const started = performance.now();
  if (patience <= 0) return patience;
  for (;;) {
    const share = others();
    await Bun.sleep(500);
    const left = patience - (performance.now() - started) / 1000;
    if (!(share(0) > QUIET)) return patience; // the time that a look takes is not waiting
    if (left <= 0) return 0;
  }
}
