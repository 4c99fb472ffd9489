import type { Activation } from "../../src/model/config.ts";
import type { GpuTensor } from "../gpu/arrays.ts";

/**
 * What gates a feed-forward network: out [S, I] = activation(gate) * up, where each row of joint [S, 2 I] has its gate and then its up, as one
 * product with both matrices gives them.
 */
export type Gate = (joint: GpuTensor, activation: Activation, out: GpuTensor) => void;
