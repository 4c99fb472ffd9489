import type { Lab } from "../lab.ts";
import { amount, type Line, times, told } from "../line.ts";

/** The device's own limits: what other rows are held against. */
export async function limits(lab: Lab): Promise<readonly Line[]> {
  const { kernel, buffers, wall } = await lab.bandwidth();
  const [f32, f16] = [await lab.f32(), await lab.f16()];
  const size = `${amount(lab.scale.bytes, "B")}, read and written`;
  const alu = (type: string, flops: number | null) =>
    told(
      `multiplying and adding in registers, ${type}`,
      flops === null ? "the device has none" : amount(flops, "FLOP/s"),
      flops === null ? {} : { flops },
    );
  return [
    told(
      `copy by a kernel, 16 bytes an invocation, ${size}`,
      `${amount(kernel, "B/s")}; ${times(wall)} as long by the processor's clock`,
      { bytesPerSecond: kernel, wall },
    ),
    told(`copy from buffer to buffer, ${size}`, amount(buffers, "B/s"), { bytesPerSecond: buffers }),
    alu("f32", f32),
    alu("f16", f16),
  ];
}
