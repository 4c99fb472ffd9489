/** Text from data, made harmless where it is written. */

// biome-ignore lint/suspicious/noControlCharactersInRegex: XML cannot hold these, escaped or not
const NOT_IN_XML = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g;

/** Without the control characters that XML cannot hold. */
export const xmlText = (text: string): string => text.replace(NOT_IN_XML, "\ufffd");

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Text as HTML, between tags or in a quoted attribute. */
export const htmlText = (text: string): string => xmlText(text).replace(/[&<>"']/g, (letter) => ENTITIES[letter] ?? "");

/** Data as JSON inside a script element, which ends at the first "</script" and hides what follows "<!--". */
export const scriptJson = (value: unknown): string => JSON.stringify(value).replaceAll("<", "\\u003c");
