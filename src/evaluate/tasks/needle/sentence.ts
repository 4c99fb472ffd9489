/** Sentences about what to do in places; the answers are the words of one that cannot be guessed from its beginning. */
import type { Draws } from "../../draws.ts";
import { PLACES, type Riddle } from "./riddle.ts";

// biome-ignore format: a list
const PLEASURES = [
  "eat a custard tart", "ride the yellow tram", "climb the clock tower", "feed the grey herons", "hire a wooden canoe", "taste the plum brandy",
  "hear the brass band", "visit the paper museum", "watch the lantern parade", "swim below the viaduct", "buy a woollen blanket",
  "sketch the copper domes", "walk the chestnut avenue", "sail to the salt island", "drink some mint tea", "dance in the fish hall",
];

/** @param keys places that something is said about, one of them asked */
export function sentence(random: Draws, { keys }: { readonly keys: number }): Riddle {
  const [asked, ...others] = random.some(PLACES, keys).map((place) => {
    const pleasures = random.some(PLEASURES, 2).join(" and ");
    return { place, pleasures, text: `The best thing to do in ${place} is to ${pleasures}.` };
  });
  const { place = "", pleasures = "", text = "" } = asked ?? {};
  return {
    opening: "Some advice to travellers is hidden in the following text. Memorize it.",
    asked: [text],
    others: others.map((other) => other.text),
    question:
      `Question: What is the best thing to do in ${place}, according to the text?\n` +
      `Answer: The best thing to do in ${place} is to`,
    answers: pleasures.match(/\w{4,}/g) ?? [],
    reply: ` ${pleasures}`,
  };
}
