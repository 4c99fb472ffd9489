/** Every registered method under whole networks: what it keeps is what decoding sees, and what memory holds. */
import { describe, test } from "bun:test";
import { type MethodFactory, publishedRegistry, registry } from "../../src/index.ts";
import { assertNetworkLaw, networkLaws } from "../support/network-laws.ts";

// What the peers' arithmetic keeps is no other kind of cache, and the GPU's software device is slow: there all methods under what depends on
// what is kept, and all laws under methods whose caches differ.
const isSlow = process.env.PYRAMIDKV_ENGINE === "webgpu";
const methods = isSlow ? registry : { ...registry, ...publishedRegistry };
const ofMethods = new Set(["eviction is masking", "layer by layer it keeps the same, or says why it cannot"]);
const everywhere = new Set(["full", "streamingllm", "pyramidkv", "adakv"]);

for (const [name, factory] of Object.entries<MethodFactory>(methods)) {
  describe(name, () => {
    for (const law of networkLaws)
      if (!isSlow || everywhere.has(name) || ofMethods.has(law)) test(law, () => assertNetworkLaw(law, factory));
  });
}
