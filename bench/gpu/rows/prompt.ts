import { prefillFlops } from "../../peers/work.ts";
import type { Lab } from "../lab.ts";
import { amount, duration, type Line, percent, told } from "../line.ts";

/** A model brought to the device, and a prompt through it: what the other rows of whole networks begin with. */
export async function prompt(lab: Lab): Promise<readonly Line[]> {
  const { model, seconds: loading, bytes } = await lab.model();
  const { context, seconds } = await lab.prompt();
  const ceiling = await lab.f32().catch(() => null); // its own row says why
  const flops = prefillFlops(model.config, context.length);
  return [
    told(
      `weights made and brought to the device, ${lab.stored}, ${model.config.layers} layers`,
      `${amount(bytes, "B")} in ${duration(loading)} (${amount(bytes / loading, "B/s")})`,
      { seconds: loading, bytes },
    ),
    told(
      `prefill of ${context.length} tokens, ${lab.scale.chunk} at once`,
      `${(context.length / seconds).toFixed(0)} tok/s (${duration(seconds)}, ${amount(flops / seconds, "FLOP/s")})`,
      { seconds, flops, tokensPerSecond: context.length / seconds },
      ceiling === null ? "" : `${amount(ceiling, "FLOP/s")} f32 in registers`,
      ceiling === null ? "" : percent(flops / seconds / ceiling),
    ),
  ];
}
