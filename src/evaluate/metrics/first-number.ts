/** 1 if the answer begins with one of the numbers, the whole number (772920 does not answer 77292), else 0. */
export const firstNumber = (answer: string, numbers: readonly string[]): number =>
  numbers.includes(/^\s*(\d+)/.exec(answer)?.[1] ?? "") ? 1 : 0;
