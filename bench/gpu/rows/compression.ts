import { compress } from "../../../src/compress.ts";
import { pyramidKV } from "../../../src/methods/pyramidkv.ts";
import { snapKV } from "../../../src/methods/snapkv.ts";
import type { Lab } from "../lab.ts";
import { duration, type Line, percent } from "../line.ts";
import { seconds, timing } from "../measure.ts";

const GOAL = 0.02;

/** From a prompt's entries to a cache that decodes on what a method kept, beside the time that its prefill took. */
export async function compression(lab: Lab): Promise<readonly Line[]> {
  const { context, seconds: prefilling } = await lab.prompt();
  const { budget, samples } = lab.scale;
  const lines: Line[] = [];
  for (const method of [snapKV({ budget }), pyramidKV({ budget })]) {
    const times: number[] = [];
    for (let i = 0; i < samples + 1; i++) {
      const [cache, took] = await seconds(lab.gpu, () => compress(context, method));
      cache[Symbol.dispose]();
      if (i > 0) times.push(took); // the first compiles
    }
    const { median, fastest, slowest } = timing(times);
    const share = median / prefilling;
    lines.push({
      what: `compression of ${context.length} tokens by ${method.name} to ${budget}, from window scores to pages`,
      measured: `${duration(median)} (${duration(fastest)} to ${duration(slowest)})`,
      limit: `prefill takes ${duration(prefilling)}`,
      figure: percent(share),
      goal: { text: `under ${percent(GOAL)} of prefill`, met: share < GOAL },
      numbers: { seconds: median, prefill: prefilling, share },
    });
  }
  return lines;
}
