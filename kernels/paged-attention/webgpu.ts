import { type GpuArrays, type GpuTensor, grid, MOST_GROUPS, parameters } from "../gpu/arrays.ts";
import flash from "../gpu/flash-decoding.wgsl" with { type: "text" };
import { PAGE, type PagedAttentionOnGpu, STRETCH } from "./index.ts";
import joinCode from "./join.wgsl" with { type: "text" };
import code from "./paged-attention.wgsl" with { type: "text" };

export interface PagedAttentionShape {
  readonly queryHeads: number;
  readonly kvHeads: number;
  readonly headDim: number;
}

/** Holds room for the stretches of the most rows so far, until it is disposed. */
export function pagedAttention(
  arrays: GpuArrays,
  { queryHeads, kvHeads, headDim }: PagedAttentionShape,
): PagedAttentionOnGpu & Disposable {
  const { gpu } = arrays;
  const [D4, G] = [headDim / 4, queryHeads / kvHeads];
  const stretches = gpu.program({
    name: "pagedAttention",
    code: [code, flash].join("\n"),
    access: ["read", "read", "read", "read", "read", "read", "read", "write"],
    constants: { D4, G, PAGE },
    parameters: true,
  });
  const join = gpu.program({
    name: "pagedAttention join",
    code: joinCode,
    access: ["read", "write"],
    constants: { D4, GROUPS: MOST_GROUPS },
    parameters: true,
  });
  const scale = { float: 1 / Math.sqrt(headDim) };
  let room: GpuTensor | null = null;
  const free = () => {
    room?.[Symbol.dispose]();
    room = null;
  };
  const roomFor = (parts: number): GpuTensor => {
    if (room !== null && (room.dims[0] ?? 0) >= parts) return room;
    free();
    room = arrays.empty("stretches", parts, headDim + 4);
    return room;
  };
  const record: PagedAttentionOnGpu = (x, longest, out, others = []) => {
    const [, rows = 0] = x.queries.dims;
    const own = Math.max(1, Math.ceil(longest / STRETCH));
    // Stretches beyond a list are left empty: others write theirs there, where their rows are not all.
    const splits = own + Math.max(0, ...others.map((other) => other.splits));
    const heads = rows * queryHeads;
    const parts = roomFor(heads * splits);
    const read = [x.queries, x.keys, x.values, x.table, x.lists, x.positions, x.rowPositions];
    const blocks = (bound: readonly GpuTensor[]) => bound.map(({ block }) => block);
    const fields = parameters(kvHeads, rows, x.firstList, STRETCH, splits, x.slidingWindow ?? 0, scale);
    gpu.dispatch(stretches, blocks([...read, parts]), [splits, kvHeads, rows], fields);
    for (const other of others) other.attend(parts, own, splits);
    gpu.dispatch(join, blocks([parts, out]), grid(heads * D4, 64), parameters(heads, splits));
  };
  return Object.assign(record, { [Symbol.dispose]: free });
}
