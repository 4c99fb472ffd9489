import type { Source } from "../../src/gpu/index.ts";
import { type GpuArrays, grid, MOST_GROUPS, parameters } from "../gpu/arrays.ts";
import total from "../gpu/total.wgsl" with { type: "text" };
import { once } from "../gpu/variants.ts";
import type { Rotate } from "./index.ts";
import code from "./rotate.wgsl" with { type: "text" };
import unturnedCode from "./unturned.wgsl" with { type: "text" };

const NOTHING = "fn keepUnturned(to: u32, half: u32, pair: vec2f) {}";

export const rotate = ({ gpu }: GpuArrays): Rotate => {
  const plain = once(gpu, source(NOTHING, []));
  const watched = once(gpu, source(unturnedCode, ["write"]));
  return (joint, { heads, kvHeads, queryScale, positions, turns, norm }, out) => {
    const { queries, unturned, unturnedFrom = 0, keys, values, at } = out;
    const [rows = 0] = joint.dims;
    const [, capacity = 0, size = 0] = keys.dims;
    const [x, y] = grid(rows, 1);
    const shape = [rows, heads, kvHeads, size, capacity, at, norm === null ? 0 : 1];
    const fields = parameters(...shape, { float: norm?.epsilon ?? 0 }, { float: queryScale }, unturnedFrom);
    const bound = [joint, positions, turns, norm?.scales ?? joint, queries, keys, values];
    const blocks = [...bound, ...(unturned === null ? [] : [unturned])].map(({ block }) => block);
    gpu.dispatch(unturned === null ? plain() : watched(), blocks, [heads + 2 * kvHeads, x, y], fields);
  };
};

/** Within eight arrays, as many as every device binds. */
const source = (keepUnturned: string, more: Source["access"]): Source => ({
  name: "rotate",
  code: [keepUnturned, code, total].join("\n"),
  access: ["read", "read", "read", "read", "write", "write", "write", ...more],
  constants: { MOST_GROUPS },
  parameters: true,
});
