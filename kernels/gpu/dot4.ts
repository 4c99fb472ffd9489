/** WGSL's `dot4(a: u32, b: u32) -> i32` over signed bytes, as the device does it best. */
import type { Gpu } from "../../src/gpu/index.ts";
import packed from "./dot4.wgsl" with { type: "text" };
import plain from "./dot4-plain.wgsl" with { type: "text" };

export const dot4 = ({ features }: Pick<Gpu, "features">): string => (features.packedDot ? packed : plain);
