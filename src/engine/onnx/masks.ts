/** What is added to scores. */
import type { Feed } from "../../onnx/session.ts";

/** Added to a score that must not count; finite, because an all-masked row of -inf would give NaN. */
export const MASKED = -1e9;
/** Hides nothing: broadcasts to any scores of three axes. */
export const NO_BIAS: Feed = { data: new Float32Array(1), dims: [1, 1, 1] };
