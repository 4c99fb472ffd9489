/** The three haystacks of RULER's needle tasks. */
import type { Draws } from "../../draws.ts";
import { sentencesOf } from "../../haystack.ts";
import { repeated } from "./examples.ts";

/**
 * Needles in a haystack.
 *
 * @param size lines of noise or of other needles, or words of the essay
 * @param another a needle like them that is not asked for
 */
export type Hide = (needles: readonly string[], size: number, random: Draws, another: () => string) => string;

export const NOISE = "The grass is green. The sky is blue. The sun is yellow. Here we go. There and back again.";

export const inNoise: Hide = (needles, size, random) => amongLines(needles, repeated(NOISE, size), random);

export const amongOthers: Hide = (needles, size, random, another) =>
  amongLines(needles, Array.from({ length: size }, another), random);

const amongLines = (needles: readonly string[], lines: readonly string[], random: Draws): string =>
  inserted(lines, random.some([...lines.keys()], needles.length), needles).join("\n");

const DEPTHS = Array.from({ length: 40 }, (_, i) => Math.round((100 * i) / 39) / 100);

/** The beginning of an essay, which begins again where it is too short; needles go before sentences, at some of 40 depths. */
export function inEssay(sentences: readonly string[]): Hide {
  const words = sentences.flatMap((sentence) => sentence.split(" "));
  return (needles, size, random) => {
    const text = sentencesOf(Array.from({ length: size }, (_, i) => words[i % words.length]).join(" "));
    const places = random.some(DEPTHS, needles.length).map((depth) => Math.floor(depth * text.length));
    return inserted(text, places, needles).join(" ");
  };
}

/** The needles in between, each before the line at its place. */
export function inserted(
  lines: readonly string[],
  places: readonly number[],
  needles: readonly string[],
): readonly string[] {
  const here = (at: number) => needles.filter((_, i) => places[i] === at);
  return [...lines.flatMap((line, at) => [...here(at), line]), ...here(lines.length)];
}
