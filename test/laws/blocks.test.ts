/** Every registered method, block by block: what is held, who chooses it, and what the network sees of it. */
import { describe, test } from "bun:test";
import { type MethodFactory, publishedRegistry, registry } from "../../src/index.ts";
import { assertBlockLaw, blockLawsOf } from "../support/block-laws.ts";

// The GPU's software device is slow: there one for each thing that prefill may observe.
const { full, snapkv, h2o, expectedattention, readahead } = registry;
const methods =
  process.env.PYRAMIDKV_ENGINE === "webgpu"
    ? { full, snapkv, h2o, expectedattention, readahead }
    : { ...registry, ...publishedRegistry };

for (const [name, factory] of Object.entries<MethodFactory>(methods)) {
  describe(name, () => {
    for (const law of blockLawsOf(factory)) test(law, () => assertBlockLaw(law, factory));
  });
}
