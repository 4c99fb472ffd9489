import { type Tensor, tensor } from "../tensor.ts";
import { BLOCK, type CompactBlocks } from "./index.ts";

/** What compact entries of one KV head stand for, [entries, d] each: channels that keys lack are 0. Bytes and whole numbers come as floats. */
export function compactEntries(
  x: CompactBlocks<Tensor>,
  layer: number,
  kvHead: number,
  headDim: number,
): { readonly keys: Tensor; readonly values: Tensor; readonly positions: Float32Array } {
  const [, kvHeads = 1] = x.heads.dims;
  const head = layer * kvHeads + kvHead;
  const [block = 0, entry = 0, count = 0] = x.heads.data.subarray(4 * head);
  const valueGroups = headDim / x.group;
  const key = { codes: x.keyCodes, floats: x.keyFloats, width: x.width, groups: x.width };
  const value = { codes: 0, floats: 0, width: headDim, groups: BLOCK * valueGroups };
  const [keys, values] = [new Float32Array(count * headDim), new Float32Array(count * headDim)];
  for (let i = 0; i < count; i++) {
    for (let c = 0; c < x.width; c++) {
      const channel = x.channels === 0 ? c : (x.places.data[x.channels + head * x.width + c] ?? 0);
      keys[i * headDim + channel] = numberOf(x, key, block, i, c, c) * normOf(x, x.keyNorms, entry + i);
    }
    for (let c = 0; c < headDim; c++) {
      const group = (i % BLOCK) * valueGroups + Math.floor(c / x.group);
      values[i * headDim + c] = numberOf(x, value, block, i, c, group) * normOf(x, x.valueNorms, entry + i);
    }
  }
  const positions = x.places.data.slice(entry, entry + count);
  return { keys: tensor(keys, count, headDim), values: tensor(values, count, headDim), positions };
}

/** Where a side's codes and floats begin, the length of its rows, and how many groups of a block have scales. */
interface Side {
  readonly codes: number;
  readonly floats: number;
  readonly width: number;
  readonly groups: number;
}

/** Number c of the row of the i-th entry after a block's first. */
function numberOf(
  { bits, codes, floats }: CompactBlocks<Tensor>,
  side: Side,
  first: number,
  i: number,
  c: number,
  group: number,
): number {
  if (bits === 0) return floats.data[side.floats + (first + i) * side.width + c] ?? 0;
  const block = first + Math.floor(i / BLOCK);
  const bytes = (BLOCK * side.width * bits) / 8;
  const at = (i % BLOCK) * side.width + c;
  const byte = codes.data[side.codes + block * bytes + (at % bytes)] ?? 0;
  const code = (byte >> (Math.floor(at / bytes) * bits)) % 2 ** bits;
  const scale = side.floats + block * 2 * side.groups + group;
  return code * (floats.data[scale] ?? 0) + (floats.data[scale + side.groups] ?? 0);
}

const normOf = ({ floats }: CompactBlocks<Tensor>, norms: number, entry: number): number =>
  norms === 0 ? 1 : (floats.data[norms + entry] ?? 0);
