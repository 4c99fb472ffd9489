/** Downloads on a terminal: one bar on stderr; one line per file where stderr is not a terminal. */
import { Presets, SingleBar } from "cli-progress";
import type { Progress } from "./options.ts";

/** A terminal, or what stands where one could be: `process.stderr`. */
export type TerminalStream = NodeJS.WritableStream & { readonly isTTY?: boolean };

export interface ProgressView extends Disposable {
  /** Give this to `resolveModel`. */
  readonly onProgress: (progress: Progress) => void;
}

/** Nothing is shown until something is downloaded; dispose it to give the line back. */
export function progressView(stream: TerminalStream = process.stderr): ProgressView {
  return stream.isTTY ? barView(stream) : lineView(stream);
}

const mebibytes = (bytes: number): number => Math.round(bytes / 2 ** 20);

function barView(stream: TerminalStream): ProgressView {
  let file: string | null = null;
  const format = "{file} [{bar}] {done} MiB{of} | {source}";
  // The terminal's own settings stay as they are, so that Ctrl-C needs no handler and ends the program as ever.
  const untouched = { gracefulExit: false, hideCursor: null, linewrap: null };
  const bar = new SingleBar({ stream, format, clearOnComplete: true, ...untouched }, Presets.shades_classic);
  const onProgress = ({ file: name, received, total, source }: Progress): void => {
    const of = total === null ? "" : ` of ${mebibytes(total)}`;
    const shown = { file: name, source, done: mebibytes(received), of };
    if (file === name) {
      bar.update(received, shown);
      return;
    }
    if (file !== null) bar.stop();
    file = name;
    // Of an unknown total, no share is ever shown.
    bar.start(total ?? Number.MAX_SAFE_INTEGER, received, shown);
  };
  return { onProgress, [Symbol.dispose]: () => (file === null ? undefined : bar.stop()) };
}

function lineView(stream: TerminalStream): ProgressView {
  const seen = new Set<string>();
  const onProgress = ({ file, total, source }: Progress): void => {
    if (seen.has(file)) return;
    seen.add(file);
    stream.write(`fetching ${file}${total === null ? "" : ` (${mebibytes(total)} MiB)`} from ${source}\n`);
  };
  return { onProgress, [Symbol.dispose]: () => {} };
}
