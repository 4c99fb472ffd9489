/** What is drawn and what it is drawn from, apart: a Vega-Lite specification that names its data, and the data. */
import type { TopLevelSpec } from "vega-lite";
import { theme } from "./theme.ts";

/** One row of data. NaN has no place in it: charts leave out what they cannot draw. */
export type Row = Readonly<Record<string, string | number | boolean | null>>;

export type Data = Readonly<Record<string, readonly Row[]>>;

export interface Specification {
  readonly title: string;
  /** One more line under the title: what is shown, with how many examples. */
  readonly subtitle?: string;
  /** What the picture shows, for those who cannot see it. */
  readonly alt: string;
  /** Vega-Lite 5 or 6 whose data are `{ name }` of one of `data`. Neither title nor fonts, which are the same for all. */
  readonly spec: TopLevelSpec;
  readonly data: Data;
}

/**
 * One complete Vega-Lite specification, data inlined, as JSON has it.
 *
 * @param version the version of Vega-Lite that its `$schema` names: what is drawn here is the same in 5 and 6
 */
export function vegaLite({ title, subtitle, alt, spec, data }: Specification, version: 5 | 6 = 6): TopLevelSpec {
  return {
    ...spec,
    $schema: `https://vega.github.io/schema/vega-lite/v${version}.json`,
    title: { text: title, ...(subtitle === undefined ? {} : { subtitle }) },
    description: alt,
    background: "white",
    datasets: Object.fromEntries(Object.entries(data).map(([name, rows]) => [name, [...rows]])),
    config: theme,
  };
}
