import { checkDims, entriesShape, groupSize } from "../shapes.ts";
import { type Tensor, tensor } from "../tensor.ts";
import type { Projections } from "./index.ts";

export const projections: Projections<Tensor> = async (keys, directions) => {
  const [kvHeads, length, size] = entriesShape("projections", keys);
  const [rows = 0] = directions.dims;
  checkDims("projections", "directions", directions, [rows, size]);
  const group = groupSize("projections", rows, kvHeads);
  const products = new Float32Array(rows * length);
  for (let r = 0; r < rows; r++)
    for (let j = 0; j < length; j++) {
      const at = (Math.floor(r / group) * length + j) * size;
      let product = 0;
      for (let c = 0; c < size; c++) product += (keys.data[at + c] ?? 0) * (directions.data[r * size + c] ?? 0);
      products[r * length + j] = product;
    }
  return tensor(products, rows, length);
};
