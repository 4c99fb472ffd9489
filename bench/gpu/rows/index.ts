/** What is measured, by name, in this order: kernels alone first, then a whole network, whose device is fuller after each. */
import type { Lab } from "../lab.ts";
import type { Line } from "../line.ts";
import { attention } from "./attention.ts";
import { compression } from "./compression.ts";
import { decode } from "./decode.ts";
import { flash } from "./flash.ts";
import { gemv } from "./gemv.ts";
import { layered } from "./layered.ts";
import { limits } from "./limits.ts";
import { halves, matmuls } from "./matmul.ts";
import { memory } from "./memory.ts";
import { prompt } from "./prompt.ts";

export type Row = (lab: Lab) => Promise<readonly Line[]>;

export const rows: Readonly<Record<string, Row>> = {
  limits,
  attention,
  gemv,
  matmul: matmuls,
  halves,
  flash,
  prefill: prompt,
  compression,
  memory,
  decode,
  layered,
};
