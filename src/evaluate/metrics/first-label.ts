/**
 * 1 if the answer begins with a colon, which the prompt still lacks, and the rest of that line with one of the labels, the whole word
 * in any case, else 0.
 */
export function firstLabel(answer: string, labels: readonly string[]): number {
  const [, line = ""] = /^\s*:[^\S\n]*([^\n]*)/.exec(answer) ?? [];
  return labels.some((label) => new RegExp(`^${RegExp.escape(label)}(?!\\w)`, "i").test(line)) ? 1 : 0;
}
