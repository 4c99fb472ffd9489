/** Downloads, and weights on their way to a GPU, on a terminal: one bar on stderr. Elsewhere one line per download. */
import { Presets, SingleBar } from "cli-progress";
import type { Progress } from "./options.ts";

/** A terminal, or what stands where one could be: `process.stderr`. */
export type TerminalStream = NodeJS.WritableStream & { readonly isTTY?: boolean };

export interface ProgressView extends Disposable {
  readonly onProgress: (progress: Progress) => void;
}

/** Nothing is shown until something is on its way; dispose it to give the line back. */
export function progressView(stream: TerminalStream = process.stderr): ProgressView {
  return stream.isTTY ? barView(stream) : lineView(stream);
}

const mebibytes = (bytes: number): number => Math.round(bytes / 2 ** 20);

function barView(stream: TerminalStream): ProgressView {
  let known: string | null = null; // what the bar is of
  const format = "{file} [{bar}] {done} MiB{of} | {source}";
  // The terminal's own settings stay as they are, so that Ctrl-C needs no handler and ends the program as ever.
  const untouched = { gracefulExit: false, hideCursor: null, linewrap: null };
  const bar = new SingleBar({ stream, format, clearOnComplete: true, ...untouched }, Presets.shades_classic);
  const onProgress = ({ file: name, received, total, source, device }: Progress): void => {
    const of = total === null ? "" : ` of ${mebibytes(total)}`;
    const way = device === undefined ? source : `to ${device}`;
    const shown = { file: name, source: way, done: mebibytes(received), of };
    const own = `${name} ${way}`;
    if (known === own) {
      bar.update(received, shown);
      return;
    }
    if (known !== null) bar.stop();
    known = own;
    // Of an unknown total, no share is ever shown.
    bar.start(total ?? Number.MAX_SAFE_INTEGER, received, shown);
  };
  return { onProgress, [Symbol.dispose]: () => (known === null ? undefined : bar.stop()) };
}

function lineView(stream: TerminalStream): ProgressView {
  const seen = new Set<string>();
  const onProgress = ({ file, total, source, device }: Progress): void => {
    if (device !== undefined || seen.has(file)) return;
    seen.add(file);
    stream.write(`fetching ${file}${total === null ? "" : ` (${mebibytes(total)} MiB)`} from ${source}\n`);
  };
  return { onProgress, [Symbol.dispose]: () => {} };
}
