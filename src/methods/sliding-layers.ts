/**
 * Which layers keep their sliding window and no more, whatever the method; null for those that methods choose in.
 *
 * Where a network has both kinds, as Gemma 3 does, a layer with a window forgets by itself, and methods and budgets are for the others.
 * Where every layer has a window (Mistral), methods choose in all of them.
 *
 * @param slidingWindow of each layer, null for none
 */
export const keptWindows = (slidingWindow: readonly (number | null)[]): readonly (number | null)[] =>
  slidingWindow.includes(null) ? slidingWindow : slidingWindow.map(() => null);
