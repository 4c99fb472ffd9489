/** One line on stderr that says what is being done; nothing where stderr is not a terminal. */
export interface ProgressLine extends Disposable {
  show(text: string): void;
  clear(): void;
}

export function progressLine(stream: NodeJS.WriteStream = process.stderr): ProgressLine {
  const write = (text: string): void => {
    if (!stream.isTTY) return;
    stream.clearLine(0);
    stream.cursorTo(0);
    stream.write(text);
  };
  return { show: write, clear: () => write(""), [Symbol.dispose]: () => write("") };
}
