/** Colours that those who see red and green alike can tell apart, and that a method keeps from picture to picture. */
import { registry } from "../methods/registry.ts";

/** Okabe and Ito's palette without its yellow, which white paper swallows. @see https://jfly.uni-koeln.de/color/ */
export const HUES = ["#000000", "#56b4e9", "#009e73", "#e69f00", "#0072b2", "#d55e00", "#cc79a7"] as const;
/** Once the hues are used up, they come again with another dash. */
const DASHES = [[], [6, 3], [2, 2], [8, 3, 2, 3], [12, 3], [4, 6], [12, 3, 3, 3, 3, 3], [1, 4]] as const;
const SHAPES = ["circle", "square", "triangle-up", "diamond", "triangle-down", "cross", "triangle-right"] as const;
const SLOTS = HUES.length * DASHES.length;

export interface MethodStyle {
  readonly colour: string;
  /** Lengths in pixels of dash and gap; none: a whole line. */
  readonly dash: readonly number[];
  /** Of points, so that colour is not all that tells methods apart. */
  readonly shape: string;
}

const KNOWN = new Map(Object.keys(registry).map((name, i) => [name, i % SLOTS]));

/**
 * A style for each of some methods. Those of the registry always have the same; another's follows from its name, or is the next free
 * one where that is taken.
 */
export function methodStyles(methods: readonly string[]): readonly MethodStyle[] {
  const taken = new Set<number>();
  const slots = new Map<string, number>();
  for (const method of [...methods].sort((a, b) => Number(KNOWN.has(b)) - Number(KNOWN.has(a)))) {
    let slot = KNOWN.get(method) ?? hash(method) % SLOTS;
    if (!KNOWN.has(method)) for (let tries = 1; taken.has(slot) && tries < SLOTS; tries++) slot = (slot + 1) % SLOTS;
    taken.add(slot);
    slots.set(method, slot);
  }
  return methods.map((method) => styleOf(slots.get(method) ?? 0));
}

const styleOf = (slot: number): MethodStyle => ({
  colour: HUES[slot % HUES.length] ?? HUES[0],
  dash: DASHES[Math.floor(slot / HUES.length)] ?? [],
  shape: SHAPES[(slot + Math.floor(slot / HUES.length)) % SHAPES.length] ?? SHAPES[0],
});

/** FNV-1a, folded to 31 bits. */
function hash(name: string): number {
  let state = 0x811c9dc5;
  for (const letter of name) state = Math.imul(state ^ (letter.codePointAt(0) ?? 0), 0x01000193);
  return state >>> 1;
}

/** From wrong to right: the usual red, yellow, green, with a green that leans to blue and a red that stays the darker one. */
export const SCORES = ["#8c1a11", "#d9512c", "#f7a35c", "#fee9a0", "#a9d8b8", "#4bb0a0", "#0c7f86"] as const;
