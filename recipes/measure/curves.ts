/** What each head should keep of a text so that its continuation loses least, on stretches of Moby-Dick. */
import { stretches } from "../../src/evaluate/haystack.ts";
import { KvError, measureCurves, saveCurves, snapKV } from "../../src/index.ts";
import type { Measurement } from "./measurement.ts";

const LENGTH = 768;

export const curves: Measurement = {
  explained: "what each KV head should keep for a budget, under SnapKV's scores, for luKV",
  extension: "json",
  async measure(model, { prompts: count }, out) {
    if (model.tokenizer === null)
      throw new KvError({ code: "tokenizer_missing", path: ["model"], found: "no tokenizer", allowed: "one with" });
    const method = snapKV({ budget: 64 });
    const texts = stretches(model.tokenizer, count, LENGTH);
    const measured = await measureCurves(model, texts, { method, label: `long-horizon utility, ${count} texts` });
    await saveCurves(model, measured, out, { text: "Moby-Dick", texts: count, tokens: LENGTH, method: method.name });
    const half = measured.tables[49]?.flat() ?? [];
    return `at half the cache heads keep ${Math.min(...half).toFixed(2)} to ${Math.max(...half).toFixed(2)}`;
  },
};
