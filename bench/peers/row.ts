/** A line of the table: our figure, the peer's, and the goal. */
import { QUIET } from "./load.ts";
import { cpu, median, othersShare, summary, wall } from "./statistics.ts";
import type { Sample } from "./worker.ts";

export interface Row {
  readonly what: string;
  readonly ours: string;
  readonly peer: string;
  /** The figure that the goal is about; wall time, and CPU time where there is a peer. */
  readonly figure: string;
  /** Share of what the hardware does at most that ours reaches. */
  readonly limit: string;
  readonly goal: string;
  readonly met: string;
  /** Share of the machine that other processes took, per cent. */
  readonly others: string;
}

export const verdict = (met: boolean): string => (met ? "met" : "**not met**");
/** For figures that a busy machine turns into nonsense: not judged unless others were quiet. */
export const quietVerdict = (met: boolean, others: number): string =>
  others > QUIET ? "disturbed, not judged" : verdict(met);
const per = (work: number, { median: m, min, max }: { median: number; min: number; max: number }, digits: number) =>
  `${(work / m).toFixed(digits)} (${(work / max).toFixed(digits)}-${(work / min).toFixed(digits)})`;
export const percent = (share: number): string => (Number.isNaN(share) ? "?" : `${(100 * share).toFixed(0)} %`);

interface Comparison {
  readonly what: string;
  readonly ours: readonly Sample[];
  readonly theirs: readonly Sample[] | undefined;
  /** Tokens in one sample, for a rate; 1 shows seconds. */
  readonly tokens: number;
  /** At least this many times as fast; null where the issue asks for nothing. */
  readonly goal: number | null;
  readonly peer: string;
  /** Threads meet after every small operator, and spin on a busy machine: its CPU time then says nothing either. */
  readonly stepwise?: boolean;
  /** As the row shows it; default: none. */
  readonly limit?: string;
}

/** Compares medians. Judges by wall time; on a busy machine by CPU time, or not at all if that is disturbed too. */
export function compared({ what, ours, theirs, tokens, goal, peer, stepwise = false, limit = "" }: Comparison): Row {
  const rate = (samples: readonly Sample[]) =>
    tokens === 1 ? `${median(wall(samples)).toFixed(1)} s` : `${per(tokens, summary(wall(samples)), 0)} tok/s`;
  const goalText = goal === null ? "" : `${goal}x`;
  if (theirs === undefined || theirs.length === 0)
    return {
      what,
      ours: rate(ours),
      peer: `${peer}: absent`,
      figure: "",
      limit,
      goal: goalText,
      met: "",
      others: percent(othersShare(ours)),
    };
  const times = median(wall(theirs)) / median(wall(ours));
  const work = median(cpu(theirs)) / median(cpu(ours));
  const busy = Math.max(othersShare(ours), othersShare(theirs));
  const judge = () =>
    stepwise || !(busy > QUIET) ? quietVerdict(times >= (goal ?? 0), busy) : `${verdict(work >= (goal ?? 0))} (by CPU)`;
  return {
    what,
    ours: rate(ours),
    peer: `${peer}: ${rate(theirs)}`,
    figure: `${times.toFixed(2)}x wall, ${work.toFixed(2)}x CPU`,
    limit,
    goal: goalText,
    met: goal === null ? "" : judge(),
    others: percent(busy),
  };
}
