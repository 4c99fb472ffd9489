/** Facts that were made up: who did what to a building, and what they do otherwise. */
import type { Draws } from "../../draws.ts";

export interface Fact {
  /** "the lighthouse of Bergen" */
  readonly building: string;
  /** What was done to it: "painted". */
  readonly did: string;
  readonly person: string;
  /** What the person does, and what to: "collects", "copper bells". */
  readonly does: string;
  readonly things: string;
}

// biome-ignore format: lists
const buildings = [
  ["lighthouse", "painted"], ["bakery", "opened"], ["library", "robbed"], ["harbour", "measured"], ["theatre", "rebuilt"], ["hospital", "cleaned"],
  ["garden", "planted"], ["railway", "planned"], ["castle", "bought"], ["market", "closed"], ["school", "visited"], ["museum", "flooded"],
  ["bridge", "repaired"], ["factory", "moved"], ["prison", "guarded"], ["farm", "inherited"], ["hotel", "decorated"], ["chapel", "drawn"],
  ["mill", "sold"], ["zoo", "photographed"], ["bank", "warned"], ["bookshop", "founded"], ["stadium", "lit"], ["palace", "haunted"],
] as const;
// biome-ignore format: lists
const places = [
  "Amsterdam", "Athens", "Bergen", "Berlin", "Bogota", "Boston", "Cairo", "Chicago", "Dakar", "Dublin", "Geneva", "Hanoi", "Havana", "Istanbul",
  "Lima", "Lisbon", "London", "Madrid", "Mumbai", "Nairobi", "Oslo", "Paris", "Quito", "Tokyo",
] as const;
// biome-ignore format: lists
const given = [
  "Mira", "Edda", "Tomas", "Ilse", "Bruno", "Greta", "Anton", "Sofie", "Viktor", "Lena", "Oskar", "Hedda", "Emil", "Clara", "Jonas", "Frida",
  "Hugo", "Astrid", "Felix", "Nora", "Rufus", "Petra", "Simon", "Wanda",
] as const;
// biome-ignore format: lists
const families = [
  "Ashfield", "Thornwood", "Winmore", "Blackley", "Marlowe", "Hazelgate", "Rook", "Stone", "Fern", "Pike", "Lark", "Holm", "Barrow", "Quill",
  "Sharpe", "Underhill", "Vance", "Yardley", "Crane", "Dunmore", "Easton", "Gale", "Irving", "Jessop",
] as const;
// biome-ignore format: lists
const habits = [
  "collects", "breeds", "repairs", "paints", "sells", "eats", "photographs", "smuggles", "polishes", "counts", "draws", "borrows", "hides",
  "designs", "steals", "imports", "dries", "wraps", "studies", "weighs", "invents", "carves", "burns", "washes",
] as const;
// biome-ignore format: lists
const kinds = [
  "salted", "smoked", "painted", "golden", "frozen", "dried", "wooden", "woven", "broken", "polished", "roasted", "striped", "candied", "rusty",
  "copper",
] as const;
// biome-ignore format: lists
const things = [
  "herring", "cheese", "tiles", "mirrors", "plums", "peppers", "clocks", "carpets", "bells", "shells", "coffee", "blankets", "lemons", "anchors",
  "kettles",
] as const;

/** No two have a building, a person or things in common; up to 24 share no part of them but words of their things. */
export function factsOf(random: Draws, count: number): readonly Fact[] {
  const [what, where] = [pairs(random, buildings, places, count), pairs(random, given, families, count)];
  const goods = random.some(
    kinds.flatMap((kind) => things.map((thing) => `${kind} ${thing}`)),
    count,
  );
  const habit = random.some(habits, habits.length);
  return what.map(([[building, did], place], i) => ({
    building: `the ${building} of ${place}`,
    did,
    person: (where[i] ?? []).join(" "),
    does: habit[i % habit.length] ?? "",
    things: goods[i] ?? "",
  }));
}

/** Pairs of two lists of the same length, each once, in random order; none of a list comes again before all of it came. */
function pairs<A, B>(random: Draws, a: readonly A[], b: readonly B[], count: number): readonly (readonly [A, B])[] {
  const [first, second] = [random.some(a, a.length), random.some(b, b.length)];
  return Array.from({ length: count }).flatMap((_, i) => {
    const turn = Math.floor(i / first.length);
    const [one, other] = [first.slice(i % first.length), second.slice((i + turn) % second.length)];
    return one.slice(0, 1).flatMap((x) => other.slice(0, 1).map((y) => [x, y] as const));
  });
}
