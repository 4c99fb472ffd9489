/** Prefill, compression and decoding at one length of the prompt. */
import { NAMES, type PeerName } from "./installed.ts";
import { type Limit, ofLimit } from "./limit.ts";
import type { Bench, Turn } from "./measure.ts";
import type { MethodName } from "./protocol.ts";
import { compared, percent, quietVerdict, type Row } from "./row.ts";
import type { Sizes } from "./sizes.ts";
import { median, othersShare, part, wall } from "./statistics.ts";
import type { Sample } from "./worker.ts";

/** A decoding sample is short, so it is taken this many times as often as a prefill. */
const DECODES = 2;

/** The goals for tokens a second against llama.cpp's best format; Q4_1 is 4 everywhere. */
const bestFormatGoal = (length: number) => (length <= 512 ? 1.3 : length <= 2048 ? 1.5 : 2);

type SamplesOf = (peer: PeerName, held: string) => readonly Sample[] | undefined;
/** One length of the prompt, and what depends on it. */
interface Prompt {
  readonly length: number;
  readonly long: boolean;
  readonly sizes: Sizes;
  readonly limit: Limit | null;
}

/** All rows of one length; `repeat` prefills each, one of the slowest peers' if the prompt is long. */
export async function promptRows(bench: Bench, sizes: Sizes, length: number, repeat: number): Promise<Row[]> {
  const { budget, steps } = sizes;
  const long = length >= sizes.long;
  const slow = long ? 1 : repeat;
  const hasFull = length <= sizes.kvpressFull;
  const prefill = (peer: PeerName, method: MethodName, atMost = repeat): Turn => ({
    key: `prefill ${length} ${peer} ${method}`,
    peer,
    request: { op: "prefill", length, method, budget, hold: method },
    atMost,
  });
  const decode = (peer: PeerName, held: string): Turn => ({
    key: `decode ${length} ${peer} ${held}`,
    peer,
    request: { op: "decode", held, steps },
  });
  const prefills = await bench.rounds(repeat, [
    prefill("ours", "full"),
    prefill("q4_0", "full"),
    prefill("fast", "full"),
    prefill("ours", "pyramidkv"),
    prefill("kvpress", "snapkv", slow),
    prefill("ours", "snapkv"),
    prefill("fast", "snapkv"),
    prefill("q4_1", "full", slow),
    ...(long ? [prefill("ours", "h2o")] : []),
  ]);
  if (hasFull) await bench.prepare("kvpress", prefill("kvpress", "full").request);
  if (long)
    await bench.prepare("ours", { op: "prefill", length: sizes.short, method: "snapkv", budget, hold: "short" });
  const decodes = await bench.rounds(repeat * DECODES, [
    decode("ours", "full"),
    decode("q4_0", "full"),
    decode("ours", "snapkv"),
    decode("fast", "full"),
    decode("fast", "snapkv"),
    decode("q4_1", "full"),
    ...(hasFull ? [decode("kvpress", "full")] : []),
    decode("kvpress", "snapkv"),
    ...(long ? [decode("ours", "short")] : []),
  ]);
  await bench.everyone({ op: "drop" });
  const prompt = { length, long, sizes, limit: bench.limit };
  return [
    ...prefillRows((peer, method) => prefills.get(`prefill ${length} ${peer} ${method}`), prompt),
    ...decodeRows((peer, held) => decodes.get(`decode ${length} ${peer} ${held}`), prompt),
  ];
}

function prefillRows(of: SamplesOf, { length, long, limit: most }: Prompt): Row[] {
  const row = (
    what: string,
    method: MethodName,
    theirs: readonly Sample[] | undefined,
    goal: number | null,
    peer: string,
    precision: "ours" | "fast" = "ours",
  ) => {
    const ours = of(precision, method);
    if (ours === undefined) return [];
    const limit = precision === "ours" ? ofLimit(ours, "flops", most) : "";
    const title = `${what} (${NAMES[precision]}), n = ${length}`;
    return [compared({ what: title, ours, theirs, tokens: length, goal, peer, limit })];
  };
  const both = ["ours", "fast"] as const;
  return [
    ...both.flatMap((precision) => row("prefill", "full", of("q4_1", "full"), 4, "llama.cpp Q4_1", precision)),
    ...both.flatMap((precision) =>
      row("prefill", "full", of("q4_0", "full"), bestFormatGoal(length), "llama.cpp Q4_0", precision),
    ),
    ...row(
      "prefill + PyramidKV against SnapKV",
      "pyramidkv",
      of("kvpress", "snapkv"),
      length < 2048 ? null : 2.5,
      "kvpress",
    ),
    ...(long ? shareRows(of, length) : []),
  ];
}

/** The compression's seconds, and for H2O what collecting the column sums adds to the prefill, over a plain prefill's. */
function shareRows(of: SamplesOf, length: number): Row[] {
  const plain = of("ours", "full") ?? [];
  const goals = { snapkv: 0.03, pyramidkv: 0.03, h2o: 0.25 } as const;
  return (["snapkv", "pyramidkv", "h2o"] as const).map((method) => {
    const samples = of("ours", method) ?? [];
    const busy = Math.max(othersShare(samples), othersShare(plain));
    const compress = median(part(samples, "compress"));
    const extra = method === "h2o" ? median(wall(samples)) - compress - median(wall(plain)) : 0;
    const share = (compress + extra) / median(wall(plain));
    return {
      what: `${method}: share of prefill, n = ${length}`,
      ours: `${(compress + extra).toFixed(2)} s of ${median(wall(plain)).toFixed(1)} s`,
      peer: "",
      figure: `${(100 * share).toFixed(1)} %`,
      limit: "",
      goal: `under ${100 * goals[method]} %`,
      met: quietVerdict(share < goals[method], busy),
      others: percent(busy),
    };
  });
}

function decodeRows(of: SamplesOf, { length, long, sizes, limit: most }: Prompt): Row[] {
  const { budget, steps } = sizes;
  const kept = of("ours", "snapkv") ?? [];
  const row = (
    what: string,
    held: string,
    theirs: readonly Sample[] | undefined,
    goal: number | null,
    peer: string,
    precision: "ours" | "fast" = "ours",
  ) => {
    const ours = of(precision, held);
    if (ours === undefined) return [];
    const limit = precision === "ours" ? ofLimit(ours, "bandwidth", most) : "";
    const title = `decode (${NAMES[precision]}), ${what}`;
    return [compared({ what: title, ours, theirs, tokens: steps, goal, peer, stepwise: true, limit })];
  };
  const outside = median(part(kept, "outside")) / steps;
  const best = "llama.cpp Q4_0";
  const fullCache = `full cache of ${length}`;
  const against = `${budget} after ${length} against the full cache`;
  return [
    ...row(fullCache, "full", of("q4_0", "full"), null, best),
    ...row(fullCache, "full", of("q4_0", "full"), null, best, "fast"),
    ...row(fullCache, "full", of("q4_1", "full"), null, "llama.cpp Q4_1", "fast"),
    ...(length <= sizes.kvpressFull ? row(fullCache, "full", of("kvpress", "full"), null, "transformers") : []),
    ...row(against, "snapkv", of("q4_0", "full"), null, best),
    ...row(against, "snapkv", of("q4_0", "full"), long ? 4 : null, best, "fast"),
    ...row(`SnapKV ${budget} after ${length}`, "snapkv", of("kvpress", "snapkv"), null, "kvpress"),
    {
      what: `step outside the network, ${budget} after ${length}`,
      ours: `${(1000 * outside).toFixed(2)} ms`,
      peer: "",
      figure: `${(1000 * outside).toFixed(2)} ms`,
      limit: "",
      goal: "under 0.6 ms",
      met: quietVerdict(outside < 0.0006, othersShare(kept)),
      others: percent(othersShare(kept)),
    },
    ...(long ? [steadyRow(of("ours", "short") ?? [], kept, length, sizes)] : []),
  ];
}

function steadyRow(
  short: readonly Sample[],
  kept: readonly Sample[],
  length: number,
  { budget, steps, short: shortLength }: Sizes,
): Row {
  const busy = Math.max(othersShare(short), othersShare(kept));
  const [a, b] = [median(wall(short)) / steps, median(wall(kept)) / steps];
  return {
    what: `decode step at budget ${budget}, prompt of ${shortLength} against ${length}`,
    ours: `${(1000 * a).toFixed(1)} and ${(1000 * b).toFixed(1)} ms`,
    peer: "",
    figure: `${(100 * (b / a - 1)).toFixed(1)} %`,
    limit: "",
    goal: "within 5 %",
    met: quietVerdict(Math.abs(b / a - 1) <= 0.05, busy),
    others: percent(busy),
  };
}
