/** What is hidden in a haystack, and what is asked about it. */
export interface Riddle {
  /** The first words of the prompt: what to do. */
  readonly opening: string;
  /** What answers the question. */
  readonly asked: readonly [string, ...string[]];
  /** What is alike, but not asked. */
  readonly others: readonly string[];
  /** Ends right before the answer. */
  readonly question: string;
  readonly answers: readonly string[];
  /** All of them as they would follow the question. */
  readonly reply: string;
}

// biome-ignore format: a list
export const PLACES = [
  "Amsterdam", "Athens", "Bergen", "Berlin", "Bogota", "Boston", "Cairo", "Chicago", "Dakar", "Dublin", "Geneva", "Hanoi",
  "Havana", "Istanbul", "Lima", "Lisbon", "London", "Madrid", "Mumbai", "Nairobi", "Oslo", "Paris", "Quito", "Tokyo",
] as const;
