import { bestOf } from "./metric.ts";

/**
 * LongBench's score of a label: 1 over the number of classes that the answer names, if the right one is among them, else 0.
 *
 * Named classes that are a part of the right one's name are not counted: "Other" beside "Other entity".
 */
export const classification = bestOf((answer, reference, classes) => {
  const named = classes.filter((label) => answer.includes(label));
  // The published loop removes from the list it runs over, so whatever follows a removed class is passed over and stays.
  for (let i = 0; i < named.length; i++) {
    const label = named[i] ?? "";
    if (label !== reference && reference.includes(label)) named.splice(named.indexOf(label), 1);
  }
  return named.includes(reference) ? 1 / named.length : 0;
});
