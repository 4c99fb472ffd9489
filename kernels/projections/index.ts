import type { Kernel, Stored, Tensor } from "../tensor.ts";

/**
 * How far each key reaches along given directions: keys [KH, n, d] and directions [R, d], R = KH * G -> [R, n], k_j . m_r for the keys
 * of KV head floor(r / G). @throws KvError `wrong_shape`
 */
export type Projections<A extends Stored = Stored> = Kernel<[keys: A, directions: Tensor], Tensor>;
