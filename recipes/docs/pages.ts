/** All pages of docs/ that are made from docstrings and measurements, by their paths under it. */
import { comparison } from "./comparison.ts";
import { type Documented, documented } from "./documented.ts";
import { contents } from "./index-page.ts";
import { lawsPage, readLaws } from "./laws.ts";
import { type MeasuredFile, readMeasured } from "./measured.ts";
import { page } from "./page.ts";

/** Paths under docs/, and what stands there. */
export function pages(
  measured: MeasuredFile = readMeasured(),
  all: readonly Documented[] = documented(),
): ReadonlyMap<string, string> {
  const made = all.map(({ folder, compared, doc, defaults }): [string, string] => [
    `${folder}/${doc.name}.md`,
    page({ doc, defaults, measured: compared ? measured : null }),
  ]);
  const whole: [string, string][] = [
    ["README.md", contents(all)],
    ["comparison.md", comparison(measured)],
    ["laws.md", lawsPage(readLaws())],
  ];
  return new Map([...whole, ...made]);
}
