import type { GpuArrays, GpuTensor } from "../../../kernels/gpu/arrays.ts";
import { PAGE } from "../../../kernels/paged-attention/index.ts";
import { pagedAttention } from "../../../kernels/paged-attention/webgpu.ts";
import type { Lab } from "../lab.ts";
import { raggedLengths, shuffled } from "../lengths.ts";
import { amount, duration, type Line, percent } from "../line.ts";
import { timed } from "../measure.ts";
import { noise } from "../noise.ts";
import { entryBytes } from "../work.ts";

const GOAL = 0.7;
const SEED = 7;

/** One layer's attention of a decoding step, over pages that lie anywhere, every KV head of every sequence with a length of its own. */
export async function attention({ arrays, gpu, scale, bandwidth }: Lab): Promise<readonly Line[]> {
  const { config } = scale;
  const { batch, mean } = scale.attention;
  const { queryHeads, kvHeads, headDim } = config;
  const lengths = raggedLengths(batch * kvHeads, mean, SEED);
  using lists = pageLists(arrays, lengths);
  using queries = noise(arrays, "queries", 3, queryHeads, batch, headDim);
  using keys = noise(arrays, "keys", 4, lists.pages, PAGE, headDim);
  using values = noise(arrays, "values", 5, lists.pages, PAGE, headDim);
  using positions = arrays.empty("positions", 4); // without a sliding window nobody looks at them
  using out = arrays.empty("attention", batch, queryHeads * headDim);
  using kernel = pagedAttention(arrays, config);
  const { table, lists: own } = lists;
  const held = { queries, keys, values, table, lists: own, firstList: 0 };
  const inputs = { ...held, positions, rowPositions: positions, slidingWindow: null };
  const longest = Math.max(...lengths);
  const { median } = await timed(gpu, scale, () => kernel(inputs, longest, out));
  const bytes = entryBytes(batch * kvHeads * mean, headDim);
  const [rate, { best }] = [bytes / median, await bandwidth()];
  return [
    {
      what: `ragged decode attention, one layer: batch ${batch}, ${mean} entries a KV head on average (${Math.min(...lengths)} to ${longest})`,
      measured: `${amount(rate, "B/s")} (${amount(bytes, "B")} in ${duration(median)})`,
      limit: `${amount(best, "B/s")} copied`,
      figure: percent(rate / best),
      goal: { text: `${percent(GOAL)} of copy bandwidth`, met: rate / best >= GOAL },
      numbers: { seconds: median, bytes, bytesPerSecond: rate, copied: best, share: rate / best },
    },
  ];
}

interface PageLists extends Disposable {
  readonly pages: number;
  readonly table: GpuTensor;
  readonly lists: GpuTensor;
}

/** Pages in no order, as after many caches have come and gone. */
function pageLists(arrays: GpuArrays, lengths: readonly number[]): PageLists {
  const counts = lengths.map((length) => Math.ceil(length / PAGE));
  const pages = counts.reduce((sum, count) => sum + count, 0);
  const lists = new Uint32Array(4 * lengths.length);
  let at = 0;
  for (const [i, length] of lengths.entries()) {
    lists.set([at, length, at, 0], 4 * i);
    at += counts[i] ?? 0;
  }
  const order = shuffled(
    Array.from({ length: pages }, (_, page) => page),
    SEED,
  );
  const table = arrays.numbers(Uint32Array.from(order), "page table");
  const own = arrays.numbers(lists, "page lists");
  return {
    pages,
    table,
    lists: own,
    [Symbol.dispose]() {
      table[Symbol.dispose]();
      own[Symbol.dispose]();
    },
  };
}
