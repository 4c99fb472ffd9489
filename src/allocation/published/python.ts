/** The two roundings of Python that the published schedules rest on. */

/** a // b: towards minus infinity. */
export const floorDivide = (a: number, b: number): number => Math.floor(a / b);

/** round(x): half to even. */
export function roundHalfEven(x: number): number {
  const below = Math.floor(x);
  const rest = x - below;
  if (rest !== 0.5) return rest < 0.5 ? below : below + 1;
  return below % 2 === 0 ? below : below + 1;
}
