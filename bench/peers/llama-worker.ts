/** llama.cpp, through node-llama-cpp's prebuilt CPU library, behind the workers' protocol: llama-worker.ts MODEL.gguf */
import { homedir } from "node:os";
import { join } from "node:path";
import { promptOf, type Request, serve, THREADS, timed } from "./protocol.ts";

/** What is used of node-llama-cpp, which is installed outside the repository. */
interface Sequence {
  controlledEvaluate(tokens: readonly (number | readonly [number, object])[]): Promise<unknown>;
  eraseContextTokenRanges(ranges: readonly { start: number; end: number }[]): Promise<void>;
}
interface LlamaContext {
  getSequence(): Sequence;
  dispose(): Promise<void>;
}
interface LlamaModel {
  createContext(options: object): Promise<LlamaContext>;
}
interface Llama {
  readonly llamaCppRelease: { readonly release: string };
  loadModel(options: object): Promise<LlamaModel>;
}

const folder = process.env.PYRAMIDKV_PEERS ?? join(homedir(), ".cache/pyramidkv-peers");
const root = join(folder, "node/node_modules/node-llama-cpp");
const { getLlama } = (await import(join(root, "dist/index.js"))) as { getLlama(options: object): Promise<Llama> };
const { version } = (await import(join(root, "package.json"))) as { version: string };

const llama = await getLlama({
  gpu: false,
  build: "never",
  skipDownload: true,
  maxThreads: THREADS,
  logLevel: "error",
});
const model = await llama.loadModel({ modelPath: process.argv[2], gpuLayers: 0 });
const held = new Map<string, { context: LlamaContext; sequence: Sequence; length: number }>();
/** Room for decoding after the prompt. */
const SPARE = 64;
/** Asks for the logits, and the likeliest token. */
const predict = { generateNext: { token: true } };

await serve(`node-llama-cpp ${version}, llama.cpp ${llama.llamaCppRelease.release}`, async (request: Request) => {
  switch (request.op) {
    case "prefill": {
      const { length, hold } = request;
      await held.get(hold)?.context.dispose();
      const context = await model.createContext({ contextSize: length + SPARE, batchSize: 512, threads: THREADS });
      const sequence = context.getSequence();
      held.set(hold, { context, sequence, length });
      const tokens = promptOf(length);
      return timed(async () => {
        await sequence.controlledEvaluate(tokens.map((token, i) => (i === length - 1 ? [token, predict] : token)));
        return {};
      });
    }
    case "decode": {
      const found = held.get(request.held);
      if (found === undefined) throw new RangeError(`nothing held as ${request.held}`);
      const { sequence, length } = found;
      const answer = await timed(async () => {
        for (let i = 0; i < request.steps; i++) await sequence.controlledEvaluate([[(31 * i) % 49152, predict]]);
        return {};
      });
      await sequence.eraseContextTokenRanges([{ start: length, end: length + request.steps }]);
      return answer;
    }
    case "drop":
      for (const { context } of held.values()) await context.dispose();
      held.clear();
      return timed(async () => ({}));
    default:
      throw new RangeError(`not asked of llama.cpp: ${request.op}`);
  }
});
