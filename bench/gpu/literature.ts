/** The fastest products of matrices in WGSL that were reported, by device; most were never reported on. */

export interface Reported {
  readonly device: RegExp;
  /** Operations a second. */
  readonly flops: number;
  readonly source: string;
}

const reports: readonly Reported[] = [
  { device: /\bm2\b/i, flops: 2.6e12, source: "github.com/FL33TW00D/wgpu-mm issue 20: fp32, 2048 x 4096 x 2048" },
  {
    device: /arc.*b580/i,
    flops: 8.16e12,
    source: "github.com/ggml-org/llama.cpp pull 22504: IQ4_NL, subgroup matrices",
  },
];

export const reported = (device: string): Reported | null => reports.find((one) => one.device.test(device)) ?? null;
