/** Row after row: one that fails takes no other with it, and what was found is told at once. */
import type { Lab } from "./lab.ts";
import type { Measured } from "./report.ts";
import type { Row } from "./rows/index.ts";

/** @param tell given all that was measured so far, after each row */
export async function run(
  lab: Lab,
  rows: Readonly<Record<string, Row>>,
  tell: (measured: readonly Measured[]) => Promise<void>,
): Promise<readonly Measured[]> {
  const measured: Measured[] = [];
  for (const [name, row] of Object.entries(rows)) {
    const started = performance.now();
    const found = await row(lab).then(
      (lines) => ({ lines }),
      (fault: unknown) => ({ fault: fault instanceof Error ? fault.message : String(fault) }),
    );
    measured.push({ row: name, seconds: (performance.now() - started) / 1000, ...found });
    await tell(measured);
  }
  return measured;
}
