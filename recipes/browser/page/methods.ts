/** The methods to choose from, and the policies that go on while tokens are generated. */
import {
  type DecodingPolicy,
  full,
  h2o,
  heavyHitters,
  type Method,
  pyramidKV,
  readAhead,
  snapKV,
  streamingLLM,
  streamingWindow,
  tokenOmission,
} from "../../../src/browser.ts";

interface Choice {
  readonly about: string;
  readonly make: (options: { readonly budget: number }) => Method;
}

const choices: Readonly<Record<string, Choice>> = {
  pyramidkv: {
    about: "What the last 8 tokens attend to, much of it in low layers and little in high ones.",
    make: pyramidKV,
  },
  snapkv: { about: "What the last 8 tokens attend to, as much of it in every layer.", make: snapKV },
  h2o: { about: "What all tokens of the prompt attended to most.", make: h2o },
  streamingllm: { about: "The first 4 tokens and the last ones.", make: streamingLLM },
  readahead: { about: "What the last tokens look up, and what follows it in the text.", make: readAhead },
  full: { about: "Everything, whatever the budget: to compare with.", make: () => full() },
};

export const methods: ReadonlyMap<string, Choice> = new Map(Object.entries(choices));

type MakePolicy = (options: { readonly budget: number }) => DecodingPolicy | undefined;

/** By what the page calls them. */
export const policies: ReadonlyMap<string, MakePolicy> = new Map<string, MakePolicy>([
  ["nothing more goes", () => undefined],
  ["streaming window", streamingWindow],
  ["heavy hitters", heavyHitters],
  ["token omission", tokenOmission],
]);
