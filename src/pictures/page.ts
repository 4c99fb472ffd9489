/** A page as data: what it says and shows, from top to bottom. */
import type { Specification } from "./specification.ts";

export interface Heading {
  readonly heading: string;
}

export interface Paragraph {
  readonly text: string;
}

export interface Column {
  readonly name: string;
  /** Numbers stand to the right. */
  readonly number?: boolean;
}

export interface Table {
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly string[])[];
}

/** Lines to be read as they are, such as commands. */
export interface Listing {
  readonly lines: readonly string[];
}

export type Part = Heading | Paragraph | Table | Listing | Specification;

export interface Page {
  readonly title: string;
  readonly parts: readonly Part[];
}
