/** What prefill must observe for a score, or for a schedule that looks at attention. */
import type { Probe } from "./probe.ts";

export interface Needs {
  /** How many of the last queries; Infinity for all, which prefill then holds: n x H x d numbers a layer. */
  readonly queries: number;
  /** The attention that each position receives from all queries. */
  readonly columnSums: boolean;
  /** Sums and products of the queries before RoPE, the first 4 left out. */
  readonly moments: boolean;
  /** What is run after the prompt. */
  readonly probes: readonly Probe[];
}

/** What all of them together need; what one leaves out it does not need. Of probes of one name the first is run. */
export function allNeeds(needs: readonly Partial<Needs>[]): Needs {
  const probes = needs.flatMap(({ probes = [] }) => probes);
  return {
    queries: Math.max(0, ...needs.map(({ queries = 0 }) => queries)),
    columnSums: needs.some(({ columnSums = false }) => columnSums),
    moments: needs.some(({ moments = false }) => moments),
    probes: probes.filter(({ name }, i) => probes.findIndex((other) => other.name === name) === i),
  };
}
