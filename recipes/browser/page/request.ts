/** What the user asks for, read from the page. */
import { type DecodingPolicy, KvError, type Method, type Model } from "../../../src/browser.ts";
import { page } from "./elements.ts";
import { methods, policies } from "./methods.ts";

/** @throws KvError `invalid_option`, `budget_too_small` */
export function chosenMethod(): Method {
  const choice = methods.get(page.method.value);
  if (choice !== undefined) return choice.make({ budget: page.budget.valueAsNumber });
  throw invalid("method", page.method.value, `one of ${[...methods.keys()].join(", ")}`);
}

/** @throws KvError `invalid_option`, `budget_too_small` */
export function chosenPolicy(): DecodingPolicy | undefined {
  const make = policies.get(page.policy.value);
  if (make !== undefined) return make({ budget: page.budget.valueAsNumber });
  throw invalid("while tokens are generated", page.policy.value, `one of ${[...policies.keys()].join(", ")}`);
}

/** @throws KvError `invalid_option` */
export function maxNewTokens(): number {
  const { valueAsNumber: count, value } = page.tokens;
  if (Number.isInteger(count) && count >= 1) return count;
  throw invalid("tokens to generate", value, "an integer >= 1");
}

/** Text, or token ids for a model that has no tokenizer. @throws KvError `invalid_token` */
export function promptFor({ tokenizer }: Model): string | Int32Array {
  const text = page.prompt.value;
  if (tokenizer !== null) return text;
  const words = text.split(/[\s,]+/).filter((word) => word !== "");
  const wrong = words.find((word) => !/^\d{1,9}$/.test(word));
  if (wrong === undefined) return Int32Array.from(words, Number);
  const hint = "this model has no tokenizer, so its prompts are token ids with blanks between them";
  throw new KvError({ code: "invalid_token", path: ["prompt"], found: wrong, allowed: "a token id", hint });
}

const invalid = (option: string, found: string, allowed: string): KvError =>
  new KvError({ code: "invalid_option", path: [option], found, allowed });
