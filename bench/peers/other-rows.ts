/** The rows that are not about one prompt's length: the smallest cache, the sweep, memory. */
import { NAMES, ourCommand, type PeerName } from "./installed.ts";
import { ofLimit } from "./limit.ts";
import type { Bench, Turn } from "./measure.ts";
import { METHODS, type Request } from "./protocol.ts";
import { compared, type Row, verdict } from "./row.ts";
import type { Sizes } from "./sizes.ts";
import { median, part } from "./statistics.ts";
import { type Sample, start } from "./worker.ts";

/** Everyone on a small cache, nothing compressed. */
export async function smallRows(bench: Bench, { small, steps }: Sizes, repeat: number): Promise<Row[]> {
  const peers: PeerName[] = ["ours", "fast", "q4_0", "q4_1", "kvpress"];
  await bench.everyone({ op: "prefill", length: small, method: "full", budget: small, hold: "small" });
  const turns = peers.map((peer): Turn => ({ key: peer, peer, request: { op: "decode", held: "small", steps } }));
  const samples = await bench.rounds(3 * repeat, turns);
  await bench.everyone({ op: "drop" });
  const row = (precision: "ours" | "fast", name: PeerName, peer: string, goal: number | null) => {
    const ours = samples.get(precision);
    if (ours === undefined) return [];
    const row = compared({
      what: `decode (${NAMES[precision]}), ${small} entries`,
      ours,
      theirs: samples.get(name),
      tokens: steps,
      goal,
      peer,
      stepwise: true,
      limit: precision === "ours" ? ofLimit(ours, "bandwidth", bench.limit) : "",
    });
    return [row];
  };
  return [
    ...row("fast", "q4_0", "llama.cpp Q4_0", 1.1),
    ...row("fast", "q4_1", "llama.cpp Q4_1", null),
    ...row("ours", "q4_0", "llama.cpp Q4_0", null),
    ...row("ours", "kvpress", "transformers", null),
  ];
}

/** Six methods at three budgets on one prompt: one prefill and forks against a prefill for each. */
export async function sweepRows(bench: Bench, { sweep, steps }: Sizes, repeat: number): Promise<Row[]> {
  const request: Request = { op: "sweep", ...sweep, steps };
  const samples = await bench.rounds(repeat, [
    { key: "ours", peer: "ours", request },
    { key: "kvpress", peer: "kvpress", request, atMost: 1 },
  ]);
  return [
    compared({
      what: `sweep of ${sweep.budgets.length * METHODS.length} configurations, n = ${sweep.length}, ${steps} new tokens`,
      ours: samples.get("ours") ?? [],
      theirs: samples.get("kvpress"),
      tokens: 1,
      goal: 15,
      peer: "kvpress",
    }),
  ];
}

/** Each sample in a fresh process, whose peak is that of one prefill and nothing else. */
export async function memoryRows(
  model: string | undefined,
  threads: number,
  { memory: length }: Sizes,
  repeat: number,
): Promise<Row[]> {
  const samples: Sample[] = [];
  for (let i = 0; i < repeat; i++) {
    await using worker = await start(ourCommand(model), threads);
    samples.push(await worker.ask({ op: "memory", length }));
  }
  const of = (name: string) => median(part(samples, name));
  const MB = 1e6;
  const beyond = (of("peak") - of("weights") - of("cache")) / MB;
  const grown = (of("peak") - of("before") - of("cache")) / MB;
  return [
    {
      what: `peak memory beyond weights and cache, n = ${length}`,
      ours: `peak ${(of("peak") / MB).toFixed(0)}, weights ${(of("weights") / MB).toFixed(0)}, cache ${(of("cache") / MB).toFixed(0)} MB`,
      peer: "",
      figure: `${beyond.toFixed(0)} MB; ${grown.toFixed(0)} MB beyond the loaded process (${(of("before") / MB).toFixed(0)} MB)`,
      limit: "",
      goal: "under 400 MB",
      met: verdict(beyond < 400),
      others: "",
    },
  ];
}
