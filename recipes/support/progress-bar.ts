/** One bar on stderr for work whose amount is known, with the time left; nothing where stderr is not a terminal. */
import { Presets, SingleBar } from "cli-progress";

export interface ProgressBar extends Disposable {
  /** So much is done; the text says of what. */
  show(done: number, text: string): void;
  /** That much more is done. */
  advance(count: number, text: string): void;
  setTotal(total: number): void;
}

export function progressBar(total: number, stream: NodeJS.WriteStream = process.stderr): ProgressBar {
  const nothing = () => {};
  if (!stream.isTTY) return { show: nothing, advance: nothing, setTotal: nothing, [Symbol.dispose]: nothing };
  // The terminal's own settings stay as they are, so that Ctrl-C needs no handler and ends the program as ever.
  const untouched = { gracefulExit: false, hideCursor: null, linewrap: null };
  const format = "[{bar}] {value} of {total} | {eta_formatted} left | {text}";
  const bar = new SingleBar(
    { stream, format, clearOnComplete: true, etaBuffer: 20, ...untouched },
    Presets.shades_classic,
  );
  bar.start(total, 0, { text: "" });
  return {
    show: (done, text) => bar.update(done, { text }),
    advance: (count, text) => bar.increment(count, { text }),
    setTotal: (count) => bar.setTotal(count),
    [Symbol.dispose]: () => bar.stop(),
  };
}
