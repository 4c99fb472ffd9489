/** The page that lists the others, and says what their formulas are written in. */

import type { Documented } from "./documented.ts";
import { distinct } from "./measured.ts";

const NOTATION = `## Notation

n is the prompt's length, b the budget (entries per KV head, always-kept ones included), w the window of last tokens;
L layers, H query heads, KH KV heads, a group is the H / KH query heads that read one KV head; d is the head's
dimension. q, k and v are queries, keys and values, q and k after RoPE unless said otherwise. A[h,i,j] is the softmax
over j <= i of q[h,i] . k[j] / sqrt(d). S_w[h,j] is the sum of A[h,i,j] over i = n-w .. n-1, for j < n-w.`;

/** Names with the first sentence of each, by folder. */
export function contents(all: readonly Documented[]): string {
  const lists = distinct(all.map(({ title }) => title)).map((title) => {
    const own = all.filter((one) => one.title === title);
    const lines = own.map(
      ({ folder, doc }) => `- [\`${doc.exported}\`](${folder}/${doc.name}.md): ${firstSentence(doc.summary)}`,
    );
    return `## ${title}\n\n${lines.join("\n")}`;
  });
  const opening =
    "# Documentation\n\nThese pages are made by `bun run docs` from docstrings, from [measurements](comparison.md) and from what was [proven](laws.md) of each.";
  return `${[opening, ...lists, NOTATION].join("\n\n")}\n`;
}

const firstSentence = (text: string) => text.replace(/\s+/g, " ").replace(/\. [A-Z].*$/, ".");
