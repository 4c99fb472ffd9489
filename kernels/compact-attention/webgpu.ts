import { type GpuArrays, type GpuTensor, parameters } from "../gpu/arrays.ts";
import flash from "../gpu/flash-decoding.wgsl" with { type: "text" };
import { once } from "../gpu/variants.ts";
import { type OtherEntries, STRETCH } from "../paged-attention/index.ts";
import type { PagedAttentionShape } from "../paged-attention/webgpu.ts";
import blocksCode from "./blocks.wgsl" with { type: "text" };
import code from "./compact-attention.wgsl" with { type: "text" };
import scoresCode from "./compact-scores.wgsl" with { type: "text" };
import { BLOCK, type CompactAttention, type CompactScores } from "./index.ts";

const ACCESS = ["read", "read", "read", "read", "read", "read", "write"] as const;

/** Attention to compact entries, as a part of that to pages. */
export function compactAttention(
  { gpu }: GpuArrays,
  { queryHeads, kvHeads, headDim }: PagedAttentionShape,
): (inputs: CompactAttention<GpuTensor>) => OtherEntries {
  const program = once(gpu, {
    name: "compactAttention",
    code: [blocksCode, code, flash].join("\n"),
    access: ACCESS,
    constants: { D4: headDim / 4, G: queryHeads / kvHeads, BLOCK },
    parameters: true,
  });
  const scale = { float: 1 / Math.sqrt(headDim) };
  return (x) => {
    const splits = Math.ceil(x.longest / STRETCH);
    const [, rows = 0] = x.queries.dims;
    const [attending = 0] = x.rows.dims;
    return {
      splits,
      attend(parts, firstSplit, allSplits) {
        const sizes = [kvHeads, rows, x.layer * kvHeads, STRETCH, firstSplit, allSplits, x.slidingWindow ?? 0];
        gpu.dispatch(program(), bound(x, parts), [splits, kvHeads, attending], fieldsOf(x, ...sizes, scale));
      },
    };
  };
}

export function compactScores({ gpu }: GpuArrays, kvHeads: number, headDim: number): CompactScores {
  const program = once(gpu, {
    name: "compactScores",
    code: [blocksCode, scoresCode].join("\n"),
    access: ACCESS,
    constants: { D4: headDim / 4, BLOCK },
    parameters: true,
  });
  const scale = { float: 1 / Math.sqrt(headDim) };
  return (x, out) => {
    const [heads = 0, rows = 0] = x.queries.dims;
    const [, columns = 0] = out.dims;
    const sizes = [heads / kvHeads, rows, x.layer * kvHeads, columns, x.slidingWindow ?? 0];
    gpu.dispatch(program(), bound(x, out), [Math.ceil(x.longest / 64), heads], fieldsOf(x, ...sizes, scale));
  };
}

const bound = ({ queries, blocks, rows }: CompactAttention<GpuTensor>, out: GpuTensor) =>
  [queries, blocks.codes, blocks.floats, blocks.places, blocks.heads, rows, out].map(({ block }) => block);

function fieldsOf(
  { blocks: b }: CompactAttention<GpuTensor>,
  ...sizes: readonly (number | { readonly float: number })[]
): Uint32Array {
  const form = [b.bits, b.width, b.group, b.keyCodes, b.keyFloats, b.valueNorms, b.keyNorms, b.channels];
  return parameters(...form, ...sizes);
}
