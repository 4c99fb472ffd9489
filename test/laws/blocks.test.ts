/** Every registered method, block by block: what is held, who chooses it, and what the network sees of it. */
import { describe, test } from "bun:test";
import { type MethodFactory, publishedRegistry, registry } from "../../src/index.ts";
import { assertBlockLaw, blockLawsOf } from "../support/block-laws.ts";

for (const [name, factory] of Object.entries<MethodFactory>({ ...registry, ...publishedRegistry })) {
  describe(name, () => {
    for (const law of blockLawsOf(factory)) test(law, () => assertBlockLaw(law, factory));
  });
}
