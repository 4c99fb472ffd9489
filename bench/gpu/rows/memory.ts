import { compress } from "../../../src/compress.ts";
import { pyramidKV } from "../../../src/methods/pyramidkv.ts";
import { snapKV } from "../../../src/methods/snapkv.ts";
import type { Lab } from "../lab.ts";
import { amount, type Line, times } from "../line.ts";
import { seconds } from "../measure.ts";
import { entryBytes, lawBytes, pagedBytes } from "../work.ts";

/** Bytes of a compressed cache, beside the law's: the budget's entries in every KV head of every layer on average, and whole pages of them. */
export async function memory(lab: Lab): Promise<readonly Line[]> {
  const { context } = await lab.prompt();
  const { budget, config } = lab.scale;
  const law = lawBytes(config, budget);
  const whole = lawBytes(config, context.length);
  const lines: Line[] = [];
  for (const method of [snapKV({ budget }), pyramidKV({ budget })]) {
    const before = lab.gpu.used;
    const [made] = await seconds(lab.gpu, () => compress(context, method));
    using cache = made;
    const grown = lab.gpu.used - before;
    const entries = entryBytes(
      cache.lengths.flat().reduce((sum, length) => sum + length, 0),
      config.headDim,
    );
    const pages = pagedBytes(cache.lengths, config.headDim);
    lines.push({
      what: `memory of ${context.length} tokens at budget ${budget} by ${method.name}`,
      measured: `${amount(cache.bytes, "B")} in pages; the device's pools grew by ${amount(grown, "B")}`,
      limit: `the law: ${amount(law, "B")}; in whole pages ${amount(pages, "B")}; the full cache ${amount(whole, "B")}`,
      figure: `${times(whole / cache.bytes)} less`,
      goal: { text: "as the law, to the page", met: entries === law && cache.bytes === pages, anywhere: true },
      numbers: { bytes: cache.bytes, law, entries, pages, grown, full: whole },
    });
  }
  return lines;
}
