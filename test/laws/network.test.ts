/** Every registered method under whole networks: what it keeps is what decoding sees, and what memory holds. */
import { describe, test } from "bun:test";
import { type MethodFactory, publishedRegistry, registry } from "../../src/index.ts";
import { assertNetworkLaw, networkLaws } from "../support/network-laws.ts";

// What the peers' arithmetic keeps is no other kind of cache, and the GPU's software device is slow.
const methods = process.env.PYRAMIDKV_ENGINE === "webgpu" ? registry : { ...registry, ...publishedRegistry };

for (const [name, factory] of Object.entries<MethodFactory>(methods)) {
  describe(name, () => {
    for (const law of networkLaws) test(law, () => assertNetworkLaw(law, factory));
  });
}
