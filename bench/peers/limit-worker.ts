/**
 * The hardware's limit through onnxruntime, behind the workers' protocol: the fastest fp32 products that this machine does, of
 * the shapes of the model's own layers, and the fastest reading of weights. `limit-worker.ts [MODEL]`
 *
 * Products are chained inside one graph, there and back, and only a maximum leaves it, so that nothing is copied.
 */

import { loadModel, type ModelConfig, version } from "../../src/index.ts";
import { Graph } from "../../src/onnx/graph.ts";
import { thisThread } from "../../src/onnx/session.ts";
import { type Answer, type Request, serve, THREADS, timed } from "./protocol.ts";

/** Products in a chain: so many that a run's own cost does not count. */
const CHAIN = 8;

/** x [rows, width] times a matrix of `height` rows and its like back, `links` times; -> the greatest number. */
async function chain(width: number, height: number, links: number) {
  const g = new Graph();
  let x = g.input("x", "float32", ["rows", width]);
  for (let link = 0; link < links; link++) {
    const [from, to] = link % 2 === 0 ? [width, height] : [height, width];
    // Of a spread that keeps the products' size: numbers too small for normal fp32 would be slow.
    const scale = Math.sqrt(3 / from);
    const fill = (into: Float32Array) => {
      for (let i = 0; i < into.length; i++) into[i] = scale * (((i * 7919) % 2003) / 1001 - 1);
    };
    x = g.op("Gemm", [x, g.weight(`w${link}`, [to, from], fill)], { transB: 1 });
  }
  g.output("most", g.op("ReduceMax", [x], { keepdims: 0 }), "float32", []);
  return thisThread.open(g.finish("chain"), { threads: THREADS });
}

/** Least seconds of several runs over `rows` rows. */
async function best(width: number, height: number, links: number, rows: number, tries: number): Promise<number> {
  await using session = await chain(width, height, links);
  const x = { data: Float32Array.from({ length: rows * width }, (_, i) => Math.sin(i)), dims: [rows, width] };
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < tries; i++) {
    const started = performance.now();
    await session.run({ x }, ["most"]);
    least = Math.min(least, (performance.now() - started) / 1000);
  }
  return least;
}

/** [in, out] of a layer's four products. */
const shapesOf = ({ hiddenSize, intermediateSize, queryHeads, kvHeads, headDim }: ModelConfig) =>
  [
    [hiddenSize, headDim * (queryHeads + 2 * kvHeads)],
    [headDim * queryHeads, hiddenSize],
    [hiddenSize, 2 * intermediateSize],
    [intermediateSize, hiddenSize],
  ] as const;

async function limit(config: ModelConfig, { rows, square, tries }: Extract<Request, { op: "limit" }>): Promise<Answer> {
  return timed(async () => {
    const rates: number[] = [];
    for (const [width, height] of shapesOf(config))
      rates.push((2 * rows * width * height * CHAIN) / (await best(width, height, CHAIN, rows, tries)));
    const seconds = await best(square, square, 2, 1, tries);
    return {
      flops: Math.max(...rates),
      slowestFlops: Math.min(...rates),
      bandwidth: (2 * square * square * 4) / seconds,
    };
  });
}

const { config } = await loadModel(process.argv[2], { threads: THREADS, progress: false }).then((model) => {
  using loaded = model;
  return { config: loaded.config };
});
await serve(`pyramidkv ${version}`, (request) => {
  if (request.op === "limit") return limit(config, request);
  throw new RangeError(`not asked of the limit: ${request.op}`);
});
