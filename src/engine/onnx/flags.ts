/** Which attention runs is said by booleans. */
import type { Feed } from "../../onnx/session.ts";

const scalar = (value: boolean): Feed => ({ data: Uint8Array.of(value ? 1 : 0), dims: [] });
export const YES = scalar(true);
export const NO = scalar(false);
