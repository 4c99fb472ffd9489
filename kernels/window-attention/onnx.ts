import { reducedAttention } from "../attention-blocks.ts";
import { SUMS } from "../column-sums/onnx.ts";
import type { Sessions } from "../sessions.ts";
import { attentionShape } from "../shapes.ts";
import { row, type Tensor, tensor } from "../tensor.ts";
import type { WindowAttention } from "./index.ts";

/** Column sums over the window's queries, cut before the window: the same graph serves both. */
export const windowAttention =
  (sessions: Sessions): WindowAttention<Tensor> =>
  async (queries, keys, visibility) => {
    const shape = attentionShape("windowAttention", queries, keys);
    const sums = await reducedAttention(sessions, SUMS, shape, queries, keys, visibility);
    const earlier = shape.length - shape.queries;
    const mass = new Float32Array(shape.heads * earlier);
    for (let h = 0; h < shape.heads; h++) mass.set(row(sums, h).subarray(0, earlier), h * earlier);
    return tensor(mass, shape.heads, earlier);
  };
