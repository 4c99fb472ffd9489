import { compressByLayer } from "../../../src/compress-by-layer.ts";
import { pyramidKV } from "../../../src/methods/pyramidkv.ts";
import { type Lab, promptOf } from "../lab.ts";
import { amount, duration, type Line, percent, told } from "../line.ts";
import { seconds } from "../measure.ts";
import { lawBytes } from "../work.ts";

/** Prefill that compresses each layer before the next one runs: what it takes of the device at its peak, and how long. */
export async function layered(lab: Lab): Promise<readonly Line[]> {
  const { model } = await lab.model();
  const { budget, chunk, config, prompt } = lab.scale;
  const before = lab.gpu.used;
  let peak = 0;
  const [cache, took] = await seconds(lab.gpu, () =>
    compressByLayer(model, promptOf(lab.scale, prompt), pyramidKV({ budget }), {
      chunk,
      onProgress: () => {
        peak = Math.max(peak, lab.gpu.used - before);
      },
    }),
  );
  cache[Symbol.dispose]();
  const full = lawBytes(config, prompt);
  return [
    told(
      `prefill of ${prompt} tokens that compresses layer by layer to ${budget}`,
      `${(prompt / took).toFixed(0)} tok/s (${duration(took)}), at the peak ${amount(peak, "B")} beyond what was in use`,
      { seconds: took, peak, full },
      `the full cache: ${amount(full, "B")}`,
      `${percent(peak / full)} of it`,
    ),
  ];
}
