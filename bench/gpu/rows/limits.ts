import type { Lab } from "../lab.ts";
import { amount, type Line, times, told } from "../line.ts";

/** The device's own limits: what other rows are held against. */
export async function limits(lab: Lab): Promise<readonly Line[]> {
  const { kernel, buffers, wall } = await lab.bandwidth();
  const size = `${amount(lab.scale.bytes, "B")}, read and written`;
  const flops = await lab.f32();
  return [
    told(
      `copy by a kernel, 16 bytes an invocation, ${size}`,
      `${amount(kernel, "B/s")}; ${times(wall)} as long by the processor's clock`,
      { bytesPerSecond: kernel, wall },
    ),
    told(`copy from buffer to buffer, ${size}`, amount(buffers, "B/s"), { bytesPerSecond: buffers }),
    told("multiplying and adding in registers, f32", amount(flops, "FLOP/s"), { flops }),
  ];
}
