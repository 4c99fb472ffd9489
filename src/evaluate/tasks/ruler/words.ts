/** English words. RULER takes them from wonderwords; these are faker's, a thousand of each kind. */
import { faker } from "@faker-js/faker/locale/en";
import type { Draws } from "../../draws.ts";
import { haystack } from "../../haystack.ts";

const { noun, adjective, verb } = faker.definitions.word;
const plain = (words: readonly string[]) => words.filter((word) => /^[a-z]+$/.test(word));
const [nouns, adjectives] = [plain(noun), plain(adjective)];

/** Nouns, adjectives and verbs, every word once. */
export const common = (): readonly string[] => [...new Set([...nouns, ...adjectives, ...plain(verb)])];

/** As `common`, and then the other words of Moby-Dick: 17,000, where a long list needs them. */
export const many = (): readonly string[] => [
  ...new Set([...common(), ...plain(haystack(undefined, "ruler").flatMap((sentence) => sentence.split(" ")))]),
];

/** A key of a needle, such as "able-abacus". */
export const twoWords = (random: Draws): string => `${pick(random, adjectives)}-${pick(random, nouns)}`;

const pick = (random: Draws, words: readonly string[]) => words[random.integer(0, words.length - 1)] ?? "";
