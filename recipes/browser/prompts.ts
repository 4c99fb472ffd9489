/** Prompts to begin with. */

/** A fact among other things, and a question about it: what a method does not keep is answered wrongly. */
export const STORY = `The harbour of Trieste wakes early. Gulls circle over the fish market, and the first boats come in before six. \
A baker on the square sells bread that is still warm, and the old men who play chess under the plane trees buy it before they sit down. \
The clock on the customs house is always seven minutes late. The cat of the lighthouse is called Marmalade and sleeps on the charts. \
In the afternoon the wind turns, the flags stand out stiff from their poles, and the ferries lie at the quay until it drops. \
Children fly kites from the breakwater. At night the lighthouse throws its beam over the roofs, and whoever cannot sleep counts the \
seconds until it comes round again.

Question: What is the cat of the lighthouse called?
Answer: The cat of the lighthouse is called`;

/** For the network that reads letters. */
export const LETTERS = `The harbour of Trieste wakes early. Gulls circle over the fish market, and the first boats come in before six. \
A baker on the square sells bread that is still warm, and the clock on the customs house is seven minutes late.`;

/** For models without a tokenizer. */
export const TOKENS = Array.from({ length: 96 }, (_, i) => (i * 13 + 5) % 100).join(" ");
