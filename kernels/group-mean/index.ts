import type { Tensor } from "../tensor.ts";

/** Mean over the G query heads that read one KV head: scores [KH * G, m] -> [KH, m]. @throws KvError `wrong_shape` */
export type GroupMean = (scores: Tensor, kvHeads: number) => Promise<Tensor>;
