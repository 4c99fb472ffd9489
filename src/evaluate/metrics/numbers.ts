/** Share of the numbers in a text that are the right one, compared as they are written: "07" is not "7". Without numbers 0. */
export function shareOfNumbers(text: string, right: string): number {
  const numbers = text.match(/\p{Nd}+/gu) ?? [];
  return numbers.length === 0 ? 0 : numbers.filter((number) => number === right).length / numbers.length;
}
