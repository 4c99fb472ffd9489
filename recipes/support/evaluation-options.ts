/** The options that every evaluation takes beside its tasks' own. */
import { publishedRegistry, registry } from "../../src/index.ts";
import { toldMethods } from "./measured-methods.ts";
import { POLICIES } from "./named-policy.ts";

/** Options of every evaluation, for `parseArgs`. */
export const OPTIONS = {
  methods: { type: "string", default: "full,window,streamingllm,h2o,snapkv,pyramidkv" },
  budgets: { type: "string", default: "64,128,256" },
  seeds: { type: "string", default: "0" },
  measured: { type: "string" },
  model: { type: "string" },
  precision: { type: "string", default: "fp32" },
  store: { type: "string" },
  out: { type: "string" },
  shard: { type: "string" },
  redis: { type: "string" },
  worker: { type: "boolean", default: false },
  whole: { type: "boolean", default: false },
  fidelity: { type: "boolean", default: false },
  "no-oracle": { type: "boolean", default: false },
  json: { type: "boolean", default: false },
  help: { type: "boolean", default: false },
} as const;

/** How they are explained. */
export const USAGE = `
  --methods A,B,...  default: full,window,streamingllm,h2o,snapkv,pyramidkv; also ${others()};
                     with --measured: ${Object.keys(toldMethods).join(", ")}.
                     A+P also lets entries go while A's answers are decoded, down to the same budget, or to one of its own as A+P:B. P is
                     one of ${POLICIES.join(", ")} (A again, every 16 tokens)
  --measured DIR     a folder of what bun run measure wrote: ${files()}.
                     qfilters and expectedattention without measured/ go by the prompt itself, whatever is there
  --budgets A,B,...  entries kept per KV head on average, or shares of the prompt such as 25% (default: 64,128,256)
  --seeds A,B,...    each makes other examples (default: 0)
  --whole            prefills the whole prompt, as peers do: the first token of an answer is then full attention's. Else the prompt's
                     last token is decoded on what was kept
  --no-oracle        leaves out the oracle, which is told the answer: how much must be lost at a budget
  --fidelity         also measures attention recall and output error in every layer
  --model REF        a folder, a .gguf file or a Hub id (default: SmolLM2-135M-Instruct)
  --precision P      fp32 (default) or fast
  --out FILE         also writes a page of the results: tables, curves, heatmaps, the funnel (.html)
  --shard I/N        does one of N equal parts of the examples; merge their stores with bun run report --merge
  --redis URL        gives the examples to workers: the same command with --worker, on any machines that reach this Redis
  --worker           is one of them
  --store FILE       where results are kept (default: results/<recipe>.duckdb). The same command goes on where it was interrupted
  --json             one JSON object per result instead of the table
  --help             this text`;

export interface Values {
  readonly methods: string;
  readonly budgets: string;
  readonly seeds: string;
  readonly measured?: string | undefined;
  readonly model?: string | undefined;
  readonly precision: string;
  readonly store?: string | undefined;
  readonly out?: string | undefined;
  readonly shard?: string | undefined;
  readonly redis?: string | undefined;
  readonly worker: boolean;
  readonly whole: boolean;
  readonly fidelity: boolean;
  readonly "no-oracle": boolean;
  readonly json: boolean;
}

function files(): string {
  return [...new Set(Object.values(toldMethods).map(({ needs }) => `${needs}.safetensors`))].join(", ");
}

function others(): string {
  const usual: readonly string[] = OPTIONS.methods.default.split(",");
  return Object.keys({ ...registry, ...publishedRegistry })
    .filter((name) => !usual.includes(name))
    .join(", ");
}
