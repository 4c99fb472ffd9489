/** Prefill, compression and decoding at one length of the prompt. */
import type { PeerName } from "./installed.ts";
import type { Bench, Samples, Turn } from "./measure.ts";
import type { MethodName } from "./protocol.ts";
import { compared, percent, quietVerdict, type Row } from "./row.ts";
import { median, othersShare, part, wall } from "./statistics.ts";

const BUDGET = 128;
const STEPS = 16;
/** A decoding sample is short, so it is taken this many times as often as a prefill. */
const DECODES = 2;
/** kvpress's full cache is measured up to here: one more prefill at 8000 would take minutes. */
const KVPRESS_FULL = 2048;
/** From here on the compression's share of the prefill is asked for. */
const LONG = 8000;

/** The goals for tokens a second against llama.cpp's best format; Q4_1 is 4 everywhere. */
const bestFormatGoal = (length: number) => (length <= 512 ? 1.3 : length <= 2048 ? 1.5 : 2);

const prefill = (peer: PeerName, method: MethodName, length: number, atMost?: number): Turn => ({
  key: `prefill ${length} ${peer} ${method}`,
  peer,
  request: { op: "prefill", length, method, budget: BUDGET, hold: method },
  ...(atMost === undefined ? {} : { atMost }),
});
const decode = (peer: PeerName, held: string, length: number): Turn => ({
  key: `decode ${length} ${peer} ${held}`,
  peer,
  request: { op: "decode", held, steps: STEPS },
});

/** All rows of one length; `repeat` prefills each, one of the slowest peers' if the prompt is long. */
export async function promptRows(bench: Bench, length: number, repeat: number): Promise<Row[]> {
  const long = length >= LONG;
  const slow = long ? 1 : repeat;
  const prefills = await bench.rounds(repeat, [
    prefill("ours", "full", length),
    prefill("q4_0", "full", length),
    prefill("ours", "pyramidkv", length),
    prefill("kvpress", "snapkv", length, slow),
    prefill("ours", "snapkv", length),
    prefill("q4_1", "full", length, slow),
    ...(long ? [prefill("ours", "h2o", length)] : []),
  ]);
  if (length <= KVPRESS_FULL) await bench.prepare("kvpress", prefill("kvpress", "full", length).request);
  if (long)
    await bench.prepare("ours", { op: "prefill", length: 1000, method: "snapkv", budget: BUDGET, hold: "short" });
  const decodes = await bench.rounds(repeat * DECODES, [
    decode("ours", "full", length),
    decode("q4_0", "full", length),
    decode("ours", "snapkv", length),
    decode("q4_1", "full", length),
    ...(length <= KVPRESS_FULL ? [decode("kvpress", "full", length)] : []),
    decode("kvpress", "snapkv", length),
    ...(long ? [decode("ours", "short", length)] : []),
  ]);
  await bench.everyone({ op: "drop" });
  return [...prefillRows(prefills, length, long), ...decodeRows(decodes, length, long)];
}

function prefillRows(samples: Samples, length: number, long: boolean): Row[] {
  const of = (peer: PeerName, method: MethodName) => samples.get(`prefill ${length} ${peer} ${method}`);
  const full = of("ours", "full") ?? [];
  const row = (what: string, ours: typeof full, theirs: typeof full | undefined, goal: number | null, peer: string) =>
    compared({ what: `${what}, n = ${length}`, ours, theirs, tokens: length, goal, peer });
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
function shareRows(of: (peer: PeerName, method: MethodName) => ReturnType<Samples["get"]>, length: number): Row[] {
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
      goal: `under ${100 * goals[method]} %`,
      met: quietVerdict(share < goals[method], busy),
      others: percent(busy),
    };
  });
}

function decodeRows(samples: Samples, length: number, long: boolean): Row[] {
  const of = (peer: PeerName, held: string) => samples.get(`decode ${length} ${peer} ${held}`);
  const [full, kept] = [of("ours", "full") ?? [], of("ours", "snapkv") ?? []];
  const row = (what: string, ours: typeof full, theirs: typeof full | undefined, goal: number | null, peer: string) =>
    compared({ what, ours, theirs, tokens: STEPS, goal, peer, stepwise: true });
  const outside = median(part(kept, "outside")) / STEPS;
  return [
    row(`decode, full cache of ${length}`, full, of("q4_0", "full"), null, "llama.cpp Q4_0"),
    row(`decode, full cache of ${length}`, full, of("q4_1", "full"), null, "llama.cpp Q4_1"),
    ...(length <= KVPRESS_FULL
      ? [row(`decode, full cache of ${length}`, full, of("kvpress", "full"), null, "transformers")]
      : []),
    row(
      `decode (fp32), ${BUDGET} after ${length} against the full cache`,
      kept,
      of("q4_0", "full"),
      long ? 4 : null,
      "llama.cpp Q4_0",
    ),
    row(`decode, SnapKV ${BUDGET} after ${length}`, kept, of("kvpress", "snapkv"), null, "kvpress"),
    {
      what: `step outside the network, ${BUDGET} after ${length}`,
      ours: `${(1000 * outside).toFixed(2)} ms`,
      peer: "",
      figure: `${(1000 * outside).toFixed(2)} ms`,
      goal: "under 0.6 ms",
      met: quietVerdict(outside < 0.0006, othersShare(kept)),
      others: percent(othersShare(kept)),
    },
    ...(long ? [steadyRow(of("ours", "short") ?? [], kept, length)] : []),
  ];
}

function steadyRow(short: NonNullable<ReturnType<Samples["get"]>>, kept: typeof short, length: number): Row {
  const busy = Math.max(othersShare(short), othersShare(kept));
  const [a, b] = [median(wall(short)) / STEPS, median(wall(kept)) / STEPS];
  return {
    what: `decode step at budget ${BUDGET}, prompt of 1000 against ${length}`,
    ours: `${(1000 * a).toFixed(1)} and ${(1000 * b).toFixed(1)} ms`,
    peer: "",
    figure: `${(100 * (b / a - 1)).toFixed(1)} %`,
    goal: "within 5 %",
    met: quietVerdict(Math.abs(b / a - 1) <= 0.05, busy),
    others: percent(busy),
  };
}
