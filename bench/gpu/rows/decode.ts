import type { KvCache } from "../../../src/cache/cache.ts";
import { compress } from "../../../src/compress.ts";
import { decodeAndDraw } from "../../../src/generate/decode.ts";
import { pyramidKV } from "../../../src/methods/pyramidkv.ts";
import { type Lab, promptOf } from "../lab.ts";
import { amount, duration, type Line, percent, times } from "../line.ts";
import { type Timing, timing } from "../measure.ts";
import { stepBytes } from "../work.ts";

/** How many times as fast a compressed cache decodes, by sequences that decode together. */
const GOALS: ReadonlyMap<number, number> = new Map([
  [1, 1.3],
  [16, 4],
]);

const WARM_UP = 3;
const GREEDY = { temperature: 0, topK: 0, topP: 1 };

/** Decoding of a compressed prompt beside the full cache: whole steps, as a caller has them. Batches are of forks, which share what was kept. */
export async function decode(lab: Lab): Promise<readonly Line[]> {
  const { context } = await lab.prompt();
  const { small, batches, prompt } = lab.scale;
  const copied = await lab.bandwidth().then(
    ({ best }) => best,
    () => null,
  );
  using compressed = await compress(context, pyramidKV({ budget: small }));
  const lines: Line[] = [];
  for (const batch of batches) {
    const full = await steps(lab, context.cache, batch);
    const less = await steps(lab, compressed, batch);
    const ratio = full.median / less.median;
    const goal = GOALS.get(batch);
    lines.push({
      what: `decode, batch ${batch}: a prompt of ${prompt} compressed to ${small}, against the full cache`,
      measured: `${rate(batch, less)} against ${rate(batch, full)}`,
      limit: copied === null ? "" : limitOf(lab, batch, copied, [less.median, full.median]),
      figure: times(ratio),
      goal: goal === undefined ? null : { text: `${goal}x`, met: ratio >= goal },
      numbers: { batch, compressedStep: less.median, fullStep: full.median, ratio },
    });
  }
  return lines;
}

const rate = (batch: number, { median }: Timing) => `${(batch / median).toFixed(1)} tok/s (${duration(median)} a step)`;

/** What a step of each must read, at the speed of copies. */
function limitOf({ scale, stored }: Lab, batch: number, copied: number, taken: readonly [number, number]): string {
  const { config, small, prompt } = scale;
  const [less, full] = [small, prompt].map((entries, i) => {
    const least = stepBytes(config, stored, batch * config.layers * config.kvHeads * entries) / copied;
    return `${duration(least)} (${percent(least / (taken[i] ?? least))})`;
  });
  return `bytes at ${amount(copied, "B/s")}: ${less} against ${full}`;
}

/** Seconds of a step of so many forks of a cache. */
async function steps(lab: Lab, cache: KvCache, batch: number): Promise<Timing> {
  const { model } = await lab.model();
  using all = new DisposableStack();
  const forks = Array.from({ length: batch }, () => all.use(cache.fork()));
  const taken: number[] = [];
  let tokens: readonly number[] = [...promptOf(lab.scale, batch)];
  for (let i = 0; i < WARM_UP + lab.scale.steps; i++) {
    const started = performance.now();
    const drawn = await decodeAndDraw(
      model.engine,
      forks.map((fork, own) => ({ cache: fork, token: tokens[own] ?? 0, evict: undefined, draw: 0 })),
      GREEDY,
    );
    tokens = drawn ?? tokens;
    if (i >= WARM_UP) taken.push((performance.now() - started) / 1000);
  }
  return timing(taken);
}
