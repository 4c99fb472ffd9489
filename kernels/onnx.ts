/** Every kernel on the CPU, as small onnxruntime graphs. Sessions are opened at first use and live until disposal. */
import { avgPool } from "./avg-pool/onnx.ts";
import { columnSums } from "./column-sums/onnx.ts";
import { gather } from "./gather/onnx.ts";
import { groupMax } from "./group-max/onnx.ts";
import { groupMean } from "./group-mean/onnx.ts";
import type { Kernels } from "./kernels.ts";
import { keyNorms } from "./key-norms/onnx.ts";
import { keySimilarity } from "./key-similarity/onnx.ts";
import { maxPool } from "./max-pool/onnx.ts";
import { nearestKeys } from "./nearest-keys/onnx.ts";
import { openSessions, type SessionOptions } from "./sessions.ts";
import { topK } from "./top-k/onnx.ts";
import { windowAttention } from "./window-attention/onnx.ts";

/** The kernels of the CPU engine. Dispose them to free onnxruntime's sessions; a call afterwards is a KvError `disposed`. */
export function onnxKernels(options: SessionOptions = {}): Kernels {
  const sessions = openSessions(options);
  return {
    windowAttention: windowAttention(sessions),
    columnSums: columnSums(sessions),
    keyNorms: keyNorms(sessions),
    keySimilarity: keySimilarity(sessions),
    nearestKeys: nearestKeys(sessions),
    groupMean: groupMean(sessions),
    groupMax: groupMax(sessions),
    maxPool: maxPool(sessions),
    avgPool: avgPool(sessions),
    topK: topK(sessions),
    gather: gather(sessions),
    [Symbol.dispose]: () => sessions[Symbol.dispose](),
  };
}
