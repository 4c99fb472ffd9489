/** Runs finished graphs with onnxruntime on the CPU: feeds are views of the caller's memory, and only the named outputs are copied back. */
import { InferenceSession, Tensor as OrtTensor } from "onnxruntime-node";
import { KvError } from "../error.ts";
import type { OnnxModel } from "./graph.ts";

export type TensorData = Float32Array | Float64Array | Int32Array | BigInt64Array | Uint8Array;

/** A dense row-major array: what goes into and comes out of a session. */
export interface Feed {
  readonly data: TensorData;
  readonly dims: readonly number[];
  /** Of bytes that are numbers; others are booleans. */
  readonly type?: "uint8";
}

export interface SessionOptions {
  /** Threads inside one operator. */
  readonly threads?: number;
  /** Weights copied into the layout that products read fastest; else they are read where they lie. Default true. */
  readonly packed?: boolean;
}

export interface Session extends AsyncDisposable {
  /**
   * Runs once. A feed that is the same object from run to run is prepared once.
   *
   * @throws KvError `engine_failed`, with onnxruntime's own words as the cause
   */
  run<Name extends string>(feeds: Readonly<Record<string, Feed>>, fetch: readonly Name[]): Promise<Record<Name, Feed>>;
}

/** Where sessions live: on this thread, or on one of their own (worker/). Disposing it ends them all. */
export interface SessionHost extends Disposable {
  /** Loads a graph, its weights from memory, which belongs to onnxruntime afterwards. @throws KvError `engine_failed` */
  open(model: OnnxModel, options?: SessionOptions): Promise<Session>;
  /** Loads a graph from a file; its weights are mapped from the files beside it. @throws KvError `engine_failed` */
  openFile(path: string, options?: SessionOptions): Promise<Session>;
}

/** A weight as onnxruntime takes it. */
export interface FilledWeight {
  readonly path: string;
  readonly data: Uint8Array<ArrayBuffer>;
}

const ELEMENT_OF = new Map<unknown, "float32" | "float64" | "int32" | "int64" | "bool">([
  [Float32Array, "float32"],
  [Float64Array, "float64"],
  [Int32Array, "int32"],
  [BigInt64Array, "int64"],
  [Uint8Array, "bool"],
]);

/** Sessions on the caller's thread, which a run holds up from beginning to end. Each is ended by whoever opened it. */
export const thisThread: SessionHost = {
  open: async (model, options = {}) => openFilled(model.graph, filled(model), options),
  openFile: openSessionFile,
  [Symbol.dispose]() {},
};

/** As `SessionHost.open` on this thread, with the weights computed already. */
export async function openFilled(
  graph: Uint8Array,
  weights: readonly FilledWeight[],
  options: SessionOptions,
): Promise<Session> {
  return handle(await create(graph, weights, options));
}

/** `SessionHost.openFile` on this thread. */
export async function openSessionFile(path: string, options: SessionOptions = {}): Promise<Session> {
  return handle(await guarded("load", () => InferenceSession.create(path, settings(options))));
}

/** Computes a graph's weights. */
export const filled = ({ weights }: OnnxModel): readonly FilledWeight[] =>
  weights.map(({ path, byteLength, fill }) => {
    const data = new Uint8Array(byteLength);
    fill(data.buffer);
    return { path, data };
  });

const create = (graph: Uint8Array, externalData: readonly FilledWeight[], options: SessionOptions) =>
  guarded("load", () => InferenceSession.create(graph, { ...settings(options), externalData }));

const settings = ({ threads, packed = true }: SessionOptions): InferenceSession.SessionOptions => ({
  executionProviders: ["cpu"],
  graphOptimizationLevel: "all",
  logSeverityLevel: 3,
  ...(threads === undefined ? {} : { intraOpNumThreads: threads }),
  ...(packed ? {} : { extra: { session: { disable_prepacking: "1" } } }),
});

/** A scope of its own: a closure beside `create` would keep the weights it was given alive. */
const handle = (session: InferenceSession): Session => ({
  async run<Name extends string>(feeds: Readonly<Record<string, Feed>>, fetch: readonly Name[]) {
    const inputs: Record<string, OrtTensor> = {};
    for (const name in feeds) inputs[name] = toOrt(feeds[name] as Feed);
    const outputs = await guarded("run", () => session.run(inputs, fetch));
    return Object.fromEntries(fetch.map((name) => [name, fromOrt(outputs[name])])) as Record<Name, Feed>;
  },
  [Symbol.asyncDispose]: () => session.release(),
});

/** Frees the memory of outputs that were copied from, which otherwise waits for a collection: 90 MB of a prompt of 8,000's peak. */
export function release(outputs: Readonly<Record<string, Feed>>): void {
  for (const { data } of Object.values(outputs)) if (data.buffer instanceof ArrayBuffer) data.buffer.transfer(0);
}

const prepared = new WeakMap<Feed, OrtTensor>();

function toOrt(feed: Feed): OrtTensor {
  const known = prepared.get(feed);
  if (known !== undefined) return known;
  const { data, dims, type = ELEMENT_OF.get(data.constructor) } = feed;
  const made = new OrtTensor(type as "float32", data as Float32Array, dims);
  prepared.set(feed, made);
  return made;
}

function fromOrt(tensor: OrtTensor | undefined): Feed {
  if (tensor === undefined)
    throw new KvError({
      code: "engine_failed",
      path: ["session"],
      found: "no such output",
      allowed: "an output of the graph",
    });
  return { data: tensor.data as TensorData, dims: tensor.dims };
}

async function guarded<T>(stage: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw new KvError({
      code: "engine_failed",
      path: ["onnxruntime", stage],
      found: String(cause),
      allowed: "a run without a fault",
      cause,
    });
  }
}
