/** What pages of all layers consist of on a device: memory, the table, and the kernels that work on them. */
import type { GpuArrays } from "../../../kernels/gpu/arrays.ts";
import type { MoveRows, MoveWithin } from "../../../kernels/move-rows/index.ts";
import { moveRows, moveWithin } from "../../../kernels/move-rows/webgpu.ts";
import type { TurnKeys } from "../../../kernels/turn-keys/index.ts";
import { turnKeys } from "../../../kernels/turn-keys/webgpu.ts";
import type { CacheGeometry } from "../../cache/layer.ts";
import { CompactStore } from "./compact-store.ts";
import { PageTable } from "./page-table.ts";
import { type PagePool, pagePools } from "./pages.ts";

export interface PageParts {
  readonly pools: readonly PagePool[];
  readonly table: PageTable;
  readonly compact: CompactStore;
  readonly kernels: { readonly move: MoveRows; readonly within: MoveWithin; readonly turn: TurnKeys };
}

/** @throws KvError `out_of_memory`, with none of it made */
export function pageParts(arrays: GpuArrays, geometry: CacheGeometry): PageParts {
  using made = new DisposableStack();
  const table = made.use(new PageTable(arrays));
  const pools = pagePools(arrays, geometry);
  made.move(); // the caller's from now on
  const { headDim } = geometry;
  return {
    pools,
    table,
    compact: new CompactStore(arrays, geometry),
    kernels: {
      move: moveRows(arrays, headDim),
      within: moveWithin(arrays, headDim),
      turn: turnKeys(arrays, headDim),
    },
  };
}
