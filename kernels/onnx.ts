/** Every kernel on the CPU, as small onnxruntime graphs. Sessions are opened at first use and live until disposal. */
import { aboveAverage } from "./above-average/onnx.ts";
import { avgPool } from "./avg-pool/onnx.ts";
import { beforeRope } from "./before-rope/onnx.ts";
import { chunkAttention } from "./chunk-attention/onnx.ts";
import { columnMax } from "./column-max/onnx.ts";
import { columnSums } from "./column-sums/onnx.ts";
import { gather } from "./gather/onnx.ts";
import { groupMax } from "./group-max/onnx.ts";
import { groupMean } from "./group-mean/onnx.ts";
import type { Kernels } from "./kernels.ts";
import { keyNorms } from "./key-norms/onnx.ts";
import { keySimilarity } from "./key-similarity/onnx.ts";
import { leverage } from "./leverage/onnx.ts";
import { maxPool } from "./max-pool/onnx.ts";
import { moments } from "./moments/onnx.ts";
import { nearestKeys } from "./nearest-keys/onnx.ts";
import { projectedNorms } from "./projected-norms/onnx.ts";
import { projections } from "./projections/onnx.ts";
import { quadraticForms } from "./quadratic-forms/onnx.ts";
import { relativeSums } from "./relative-sums/onnx.ts";
import { openSessions, type SessionOptions } from "./sessions.ts";
import type { Tensor } from "./tensor.ts";
import { topK } from "./top-k/onnx.ts";
import { valueNorms } from "./value-norms/onnx.ts";
import { windowAttention } from "./window-attention/onnx.ts";
import { windowStatistics } from "./window-statistics/onnx.ts";

/** The kernels of the CPU engine. Dispose them to free onnxruntime's sessions; a call afterwards is a KvError `disposed`. */
export function onnxKernels(options: SessionOptions = {}): Kernels<Tensor> {
  const sessions = openSessions(options);
  return {
    windowAttention: windowAttention(sessions),
    columnSums: columnSums(sessions),
    chunkAttention: chunkAttention(sessions),
    projections: projections(sessions),
    quadraticForms: quadraticForms(sessions),
    columnMax: columnMax(sessions),
    relativeSums: relativeSums(sessions),
    aboveAverage: aboveAverage(sessions),
    moments: moments(sessions),
    beforeRope: beforeRope(sessions),
    leverage: leverage(sessions),
    keyNorms: keyNorms(sessions),
    keySimilarity: keySimilarity(sessions),
    valueNorms: valueNorms(sessions),
    projectedNorms: projectedNorms(sessions),
    nearestKeys: nearestKeys(sessions),
    groupMean: groupMean(sessions),
    groupMax: groupMax(sessions),
    maxPool: maxPool(sessions),
    avgPool: avgPool(sessions),
    topK: topK(sessions),
    gather: gather(sessions),
    windowStatistics: windowStatistics(sessions),
    read: async (array) => array,
    [Symbol.dispose]: () => sessions[Symbol.dispose](),
  };
}
