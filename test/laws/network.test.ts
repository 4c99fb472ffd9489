/** Every registered method under whole networks: what it keeps is what decoding sees, and what memory holds. */
import { describe, test } from "bun:test";
import { publishedRegistry, registry } from "../../src/index.ts";
import { assertNetworkLaw, networkLaws } from "../support/network-laws.ts";

for (const [name, factory] of Object.entries({ ...registry, ...publishedRegistry })) {
  describe(name, () => {
    for (const law of networkLaws) test(law, () => assertNetworkLaw(law, factory));
  });
}
