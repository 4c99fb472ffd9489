/** The tokenizer of a Hugging Face folder: tokenizer.json, tokenizer_config.json, chat_template.jinja. */

import { z } from "zod";
import type { ModelFolder } from "../folder.ts";
import { parseWith, readJson, readOptionalJson, readText } from "../open-json.ts";
import type { ChatTemplate } from "./chat.ts";
import { boundedSteps, Step } from "./steps.ts";
import { createTokenizer, type Tokenizer } from "./tokenizer.ts";

const DEFINITION = "tokenizer.json";
const CONFIG = "tokenizer_config.json";
const TEMPLATE = "chat_template.jinja";
const definitionLimit = 64 << 20;
const configLimit = 8 << 20;
const templateLimit = 1 << 20;
/** WordPiece takes time cubic in it; 100 in every known model. */
const maxWord = 200;

/** Added tokens are looked for at every character of a text, so their length bounds the time that takes. */
const Definition = z.looseObject({
  model: z.looseObject({ max_input_chars_per_word: z.int().max(maxWord).optional() }),
  added_tokens: z.array(z.looseObject({ id: z.int().nonnegative(), content: z.string().min(1).max(1000) })).default([]),
  normalizer: Step,
  pre_tokenizer: Step,
  post_processor: Step,
  decoder: Step,
});

const token = z
  .union([z.string(), z.looseObject({ content: z.string() }).transform(({ content }) => content)])
  .nullish();
const template = z.string();

const Config = z.looseObject({
  bos_token: token,
  eos_token: token,
  unk_token: token,
  pad_token: token,
  additional_special_tokens: z.array(token).nullish(),
  chat_template: z.union([template, z.array(z.object({ name: z.string(), template }))]).nullish(),
});

/** null where the folder has no tokenizer.json. @throws KvError `corrupt_file`, `unsupported_format` (steps without bound) */
export function openTokenizer(folder: ModelFolder): { readonly tokenizer: Tokenizer; readonly files: string[] } | null {
  if (!folder.has(DEFINITION)) return null;
  const path = folder.pathOf(DEFINITION);
  const definition = parseWith(Definition, readJson(folder, DEFINITION, definitionLimit), "corrupt_file", path);
  const given = readOptionalJson(folder, CONFIG, configLimit) ?? {};
  const config = parseWith(Config, given, "corrupt_file", folder.pathOf(CONFIG));
  const source = folder.has(TEMPLATE) ? readText(folder, TEMPLATE, templateLimit) : embeddedTemplate(config);
  const tokenizer = createTokenizer({
    definition: {
      ...definition,
      normalizer: boundedSteps(definition.normalizer, path, ["normalizer"]),
      pre_tokenizer: boundedSteps(definition.pre_tokenizer, path, ["pre_tokenizer"]),
      decoder: boundedSteps(definition.decoder, path, ["decoder"]),
    },
    config: {
      ...config,
      // The library's default changes text that was never tokenised so.
      clean_up_tokenization_spaces: config.clean_up_tokenization_spaces === true,
      additional_special_tokens: config.additional_special_tokens ?? [],
    },
    bosToken: null,
    template: source === null ? null : { source, specialTokens: specialTokens(config) },
    path,
  });
  return { tokenizer, files: [DEFINITION, CONFIG, TEMPLATE].filter(folder.has).map(folder.pathOf) };
}

/** The only one, or the one named "default" of several. */
function embeddedTemplate({ chat_template: given }: z.output<typeof Config>): string | null {
  if (typeof given === "string") return given;
  return given?.find(({ name }) => name === "default")?.template ?? null;
}

function specialTokens(config: z.output<typeof Config>): ChatTemplate["specialTokens"] {
  const { bos_token, eos_token, unk_token, pad_token } = config;
  const entries = Object.entries({ bos_token, eos_token, unk_token, pad_token });
  return Object.fromEntries(entries.flatMap(([name, text]) => (text ? [[name, text]] : [])));
}
