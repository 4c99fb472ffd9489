/** Every registered method, block by block: what is held, who chooses it, and what the network sees of it. */
import { describe, test } from "bun:test";
import assert from "node:assert/strict";
import { compressInBlocks, type MethodFactory, publishedRegistry, registry } from "../../src/index.ts";
import { assertBlockLaw, blockLaws } from "../support/block-laws.ts";
import { sharedModel } from "../support/tiny-model.ts";

for (const [name, factory] of Object.entries({ ...registry, ...publishedRegistry })) {
  const { queries, probes } = factory({ budget: 1000 }).needs;
  const needsWhole = !Number.isFinite(queries) || probes.length > 0;
  describe(name, () => {
    if (needsWhole) test("is refused, for it needs the whole prompt", () => assertRefusedInBlocks(factory));
    else for (const law of blockLaws) test(law, () => assertBlockLaw(law, factory));
  });
}

async function assertRefusedInBlocks(factory: MethodFactory) {
  const model = await sharedModel({}, 1);
  const refused = compressInBlocks(model, new Int32Array(8), factory({ budget: 1000 }), { working: 1000 });
  await assert.rejects(refused, { code: "invalid_option", path: ["compressInBlocks", "method"] });
}
