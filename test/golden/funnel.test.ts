/** The funnel of the default model against transformers' attention, and that it is one. */
import { afterAll, describe, test } from "bun:test";
import { strict as assert } from "node:assert";
import { z } from "zod";
import { funnel } from "../../src/funnel/index.ts";
import { loadModel, prefill } from "../../src/index.ts";
import { golden, goldenJson, maxDifference } from "../support/golden.ts";
import { goldenGguf } from "../support/golden-model.ts";

const Fixture = z.object({ "docqa-228": z.object({ text: z.string() }) });

const path = await goldenGguf();
if (path !== null) {
  const { text } = Fixture.parse(goldenJson("smollm2/golden-docqa-228.json"))["docqa-228"];
  const model = await loadModel(path);
  const context = await prefill(model, text);
  afterAll(() => {
    context[Symbol.dispose]();
    model[Symbol.dispose]();
  });

  describe("SmolLM2's funnel", () => {
    for (const window of [8, 32]) {
      test(`is transformers' mean attention of the last ${window} queries`, async () => {
        const { floats, dims } = golden("smollm2/golden-docqa-228.safetensors")(`win${window}_sum_qhead`);
        const [layers = 0, heads = 0, earlier = 0] = dims; // [30, 9, n - w]
        const { layers: ours } = await funnel(context, { window, bins: context.length });
        assert.deepEqual([ours.length, context.length], [layers, earlier + window]);
        ours.forEach(({ mass, window: own }, layer) => {
          const means = Array.from({ length: earlier }, (_, j) => {
            const sums = Array.from(
              { length: heads },
              (_, h) => floats[(layer * heads + h) * earlier + j] ?? Number.NaN,
            );
            return sums.reduce((a, b) => a + b, 0) / (heads * window);
          });
          assert.ok(maxDifference(mass.slice(0, earlier), means) < 1e-5, `layer ${layer}`);
          assert.ok(Math.abs(own - (1 - means.reduce((a, b) => a + b, 0))) < 1e-5, `layer ${layer}`);
        });
      });
    }

    test("is wide at the bottom, and the upper half of the layers rests on the first tokens", async () => {
      const { layers } = await funnel(context);
      const upper = layers.slice(15);
      const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
      const widths = upper.map(({ effectiveTokens }) => effectiveTokens);
      assert.ok((layers[0]?.effectiveTokens ?? 0) > 3 * mean(widths));
      assert.ok(mean(upper.map(({ sinks }) => sinks)) > 2 * mean(layers.slice(0, 10).map(({ sinks }) => sinks)));
    });
  });
}
