/** Prefill, compression and decoding at one length of the prompt. */
import type { PeerName } from "./installed.ts";
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
    prefill("ours", "pyramidkv"),
    prefill("kvpress", "snapkv", slow),
    prefill("ours", "snapkv"),
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
  const full = of("ours", "full") ?? [];
  const row = (what: string, ours: typeof full, theirs: typeof full | undefined, goal: number | null, peer: string) => {
    const limit = ofLimit(ours, "flops", most);
    return compared({ what: `${what}, n = ${length}`, ours, theirs, tokens: length, goal, peer, limit });
  };
  return [
    row("prefill", full, of("q4_1", "full"), 4, "llama.cpp Q4_1"),
    row("prefill", full, of("q4_0", "full"), bestFormatGoal(length), "llama.cpp Q4_0"),
    row(
      "prefill + PyramidKV against SnapKV",
      of("ours", "pyramidkv") ?? [],
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
  const [full, kept] = [of("ours", "full") ?? [], of("ours", "snapkv") ?? []];
  const row = (what: string, ours: typeof full, theirs: typeof full | undefined, goal: number | null, peer: string) => {
    const limit = ofLimit(ours, "bandwidth", most);
    return compared({ what, ours, theirs, tokens: steps, goal, peer, stepwise: true, limit });
  };
  const outside = median(part(kept, "outside")) / steps;
  return [
    row(`decode, full cache of ${length}`, full, of("q4_0", "full"), null, "llama.cpp Q4_0"),
    row(`decode, full cache of ${length}`, full, of("q4_1", "full"), null, "llama.cpp Q4_1"),
    ...(length <= sizes.kvpressFull
      ? [row(`decode, full cache of ${length}`, full, of("kvpress", "full"), null, "transformers")]
      : []),
    row(
      `decode (fp32), ${budget} after ${length} against the full cache`,
      kept,
      of("q4_0", "full"),
      long ? 4 : null,
      "llama.cpp Q4_0",
    ),
    row(`decode, SnapKV ${budget} after ${length}`, kept, of("kvpress", "snapkv"), null, "kvpress"),
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
