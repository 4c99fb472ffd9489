/** One bar on stderr for a benchmark that knows how much there is to do; nothing where stderr is not a terminal. */
import { Presets, SingleBar } from "cli-progress";

export interface ProgressBar extends Disposable {
  /** That much more is done; the text says of what. */
  advance(count: number, text: string): void;
}

export function progressBar(total: number, stream: NodeJS.WriteStream = process.stderr): ProgressBar {
  if (!stream.isTTY) return { advance: () => {}, [Symbol.dispose]: () => {} };
  // The terminal's own settings stay as they are, so that Ctrl-C needs no handler and ends the program as ever.
  const untouched = { gracefulExit: false, hideCursor: null, linewrap: null };
  const format = "[{bar}] {value} of {total} | {text}";
  const bar = new SingleBar({ stream, format, clearOnComplete: true, ...untouched }, Presets.shades_classic);
  bar.start(total, 0, { text: "" });
  return { advance: (count, text) => bar.increment(count, { text }), [Symbol.dispose]: () => bar.stop() };
}
