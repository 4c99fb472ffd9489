/** Every registered method, block by block: what is held, who chooses it, and what the network sees of it. */
import { describe, test } from "bun:test";
import { publishedRegistry, registry } from "../../src/index.ts";
import { assertBlockLaw, blockLaws } from "../support/block-laws.ts";

for (const [name, factory] of Object.entries({ ...registry, ...publishedRegistry })) {
  describe(name, () => {
    for (const law of blockLaws) test(law, () => assertBlockLaw(law, factory));
  });
}
