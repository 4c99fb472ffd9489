/** Fused matrices taken apart: rows lie one after the other, so that a part of them is a tensor at another offset. */
import { KvError } from "../../error.ts";
import { storedBytes } from "./dequantise.ts";
import type { StoredTensor } from "./stored-tensor.ts";
import type { TensorPart } from "./weights.ts";

/**
 * The parts in place of the tensors that they are of.
 *
 * @param find throws KvError `missing_tensor`
 * @throws KvError `wrong_shape` where the parts of a tensor are not all of its rows
 */
export function splitTensors(
  tensors: readonly StoredTensor[],
  parts: readonly TensorPart[],
  find: (name: string) => StoredTensor,
): readonly StoredTensor[] {
  const ends = new Map<string, number>();
  const pieces = parts.map((part) => {
    ends.set(part.of, Math.max(ends.get(part.of) ?? 0, part.from + part.rows));
    return pieceOf(find(part.of), part);
  });
  for (const [name, end] of ends) {
    const { shape, file } = find(name);
    if (shape.length === 2 && shape[0] === end) continue;
    throw new KvError({
      code: "wrong_shape",
      path: [file.path, name],
      found: shape,
      allowed: `a matrix of ${end} rows`,
    });
  }
  return [...tensors.filter(({ name }) => !ends.has(name)), ...pieces];
}

function pieceOf(tensor: StoredTensor, { name, from, rows }: TensorPart): StoredTensor {
  const [, columns = 1] = tensor.shape;
  const { file, pairedHeadDim: head } = tensor;
  // Rows of such a head lie in another order, which only the whole head tells.
  if (head !== null && (from % head !== 0 || rows % head !== 0)) {
    const allowed = `parts of whole heads, ${head} rows each`;
    throw new KvError({ code: "wrong_shape", path: [file.path, name], found: [from, from + rows], allowed });
  }
  const offset = tensor.offset + storedBytes(tensor.type, from * columns);
  return { ...tensor, name, shape: [rows, columns], offset };
}
