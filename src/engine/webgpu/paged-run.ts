/** Runs of the network whose rows attend to pages: steps of batches, and several tokens of one sequence. */
import type { GpuTensor } from "../../../kernels/gpu/arrays.ts";
import type { KvCache } from "../../cache/cache.ts";
import { adopted } from "./adopt.ts";
import { compactRows } from "./compact-rows.ts";
import { pageLists, type Row } from "./lists.ts";
import type { PagedEntries } from "./paged-entries.ts";
import type { Results, Rows } from "./rows.ts";
import type { GpuRun } from "./run.ts";

/** The next tokens of one sequence. */
export interface Continued {
  readonly cache: KvCache;
  readonly tokens: readonly number[];
}

/**
 * Runs the next tokens of some sequences, which thereby are held on the device, each seeing those before it. Rows are sequence after
 * sequence. The caches have yet to take them in.
 *
 * @param weighted an array for the scores of the only row, [L][H, columns], asked for layer by layer: each head's compact entries, and after
 *   the most that any of them has its others; null for none
 */
export async function runPaged(
  run: GpuRun,
  sequences: readonly Continued[],
  wanted: Pick<Rows, "logitsFrom" | "queries">,
  weighted: ((layer: number, columns: number) => GpuTensor) | null = null,
): Promise<Results> {
  const { config, store, scratch, network } = run;
  const { kvHeads } = config;
  const known: PagedEntries[] = [];
  for (const { cache } of sequences) known.push(await begun(run, cache));
  const rows = sequences.flatMap(({ cache, tokens }, i) =>
    tokens.map((_, j): Row => {
      const sequence = known[i] ?? { kept: [], added: [], compact: null };
      return { sequence, added: cache.added + j + 1, position: cache.length + j };
    }),
  );
  const to = slots(run, sequences, known, rows.length);
  const from = Uint32Array.from({ length: to.length }, (_, i) => i);
  const moves = { rows: scratch.numbers("moved rows", from), to: scratch.numbers("moved to", to) };
  const lists = pageLists(scratch, store, rows);
  const compact = compactRows(scratch, rows);
  const tokens = Int32Array.from(sequences.flatMap((sequence) => sequence.tokens));
  const positions = Int32Array.from(rows, ({ position }) => position);
  return network.run({ tokens, positions, ...wanted }, ({ layer, queries, out }, fresh) => {
    const pool = store.pools[layer];
    if (pool === undefined) throw new RangeError(`no layer ${layer}`);
    const width = kvHeads * rows.length;
    run.move(fresh, { ...moves, first: layer * width, count: width }, pool.entries);
    const { table, rowPositions } = lists;
    const seen = { table, lists: lists.lists, firstList: lists.first(layer), rowPositions };
    const common = { queries, slidingWindow: config.slidingWindow[layer] ?? null };
    const inputs = { ...common, ...pool.entries, ...seen };
    const older = compact(layer, common);
    const longest = lists.longest(layer);
    run.paged(inputs, longest, out, older.map(run.compact));
    if (weighted === null) return;
    const first = Math.max(0, ...older.map((entries) => entries.longest));
    const scores = weighted(layer, first + longest);
    for (const entries of older) run.compactScores(entries, scores);
    run.scores(inputs, longest, scores, first);
  });
}

/** A cache's entries on the device, as many as it knows of: a run that failed may have left more. */
async function begun({ store }: GpuRun, cache: KvCache): Promise<PagedEntries> {
  const entries = await adopted(store, cache);
  for (const heads of entries.added) heads.counts.fill(cache.added);
  return entries;
}

/** Where all rows' entries go: [L, KH, R]. */
function slots(run: GpuRun, sequences: readonly Continued[], known: readonly PagedEntries[], rows: number) {
  const { layers, kvHeads } = run.config;
  const to = new Uint32Array(layers * kvHeads * rows);
  for (let layer = 0; layer < layers; layer++) {
    let row = 0;
    for (const [i, { tokens }] of sequences.entries()) {
      const heads = known[i]?.added[layer];
      if (heads === undefined) throw new RangeError(`no layer ${layer}`);
      const own = run.store.extend(layer, heads, tokens.length); // [KH, count]
      for (let head = 0; head < kvHeads; head++)
        to.set(own.subarray(head * tokens.length, (head + 1) * tokens.length), (layer * kvHeads + head) * rows + row);
      row += tokens.length;
    }
  }
  return to;
}
