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
  const bar = new SingleBar(
    { stream, hideCursor: true, clearOnComplete: true, format: "{file} [{bar}] {done} MiB{of} | {source}" },
    Presets.shades_classic,
  );
  const onProgress = ({ file: name, received, total, source }: Progress): void => {
    const of = total === null ? "" : ` of ${mebibytes(total)}`;
    const shown = { file: name, source, done: mebibytes(received), of };
    if (file !== name) {
      if (file !== null) bar.stop();
      file = name;
      bar.start(total ?? received, received, shown);
    }
    if (total === null) bar.setTotal(Math.max(1, received));
    bar.update(received, shown);
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
