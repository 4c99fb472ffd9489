import type { Lab } from "../lab.ts";
import { amount, type Line, times, told } from "../line.ts";

/** The device's own limits: what other rows are held against. */
export async function limits(lab: Lab): Promise<readonly Line[]> {
  const { kernel, buffers, wall } = await lab.bandwidth();
  const size = `${amount(lab.scale.bytes, "B")}, read and written`;
  return [
    told(
      `copy by a kernel, 16 bytes an invocation, ${size}`,
      `${amount(kernel, "B/s")}; ${times(wall)} as long by the processor's clock`,
      { bytesPerSecond: kernel, wall },
    ),
    told(`copy from buffer to buffer, ${size}`, amount(buffers, "B/s"), { bytesPerSecond: buffers }),
    inRegisters("f32", await lab.f32()),
  ];
}

/** The same in half precision, with which nothing is compared: by itself, because few devices' compilers are as good at it. */
export const halves = async (lab: Lab): Promise<readonly Line[]> => [inRegisters("f16", await lab.f16())];

const inRegisters = (type: string, flops: number | null): Line =>
  told(
    `multiplying and adding in registers, ${type}`,
    flops === null ? "the device has none" : amount(flops, "FLOP/s"),
    flops === null ? {} : { flops },
  );
