import { type GpuArrays, grid, MOST_GROUPS, parameters } from "../gpu/arrays.ts";
import { matrixBlocks, overMatrix } from "../gpu/matrix/code.ts";
import { COLUMNS, type MatrixForm, nameOf } from "../gpu/matrix/matrix.ts";
import { variants } from "../gpu/variants.ts";
import code from "./embed.wgsl" with { type: "text" };
import type { Embed } from "./index.ts";

export const embed = ({ gpu }: GpuArrays): Embed => {
  const program = variants(gpu);
  return (tokens, { columns, parts }, scale, out) => {
    const [rows = 0] = tokens.dims;
    const fours = Math.ceil(columns / 4);
    for (const part of parts) {
      const units = Math.ceil(columns / COLUMNS[part.form.type]);
      const own = program(nameOf(part.form), () => source(part.form));
      const fields = parameters(rows, columns, fours, units, part.from, part.rows, { float: scale });
      gpu.dispatch(own, [tokens.block, out.block, ...matrixBlocks(part)], grid(rows * fours, 64), fields);
    }
  };
};

const source = (form: MatrixForm) =>
  overMatrix(form, {
    name: "embed",
    code,
    access: ["read", "write"],
    constants: { MOST_GROUPS },
    parameters: true,
  });
