/** A running computation that can be awaited whole and iterated as it goes, by any number of readers, each from the beginning. */
export interface Replay<Item, Result> extends Promise<Result>, AsyncIterable<Item> {}

/**
 * Starts `source` and gives its items as they come and its return value as a promise.
 * Leaving a `for await` early asks the source to return, so that nobody computes what nobody reads.
 */
export function replay<Item, Result>(
  source: AsyncGenerator<Item, Result>,
  stopped: () => Result,
): Replay<Item, Result> {
  const items: Item[] = [];
  const state = { done: false, stop: false };
  let wake = Promise.withResolvers<void>();
  const advance = () => {
    wake.resolve();
    wake = Promise.withResolvers<void>();
  };
  const run = async (): Promise<Result> => {
    try {
      for (;;) {
        const step = state.stop ? { done: true as const, value: stopped() } : await source.next();
        if (step.done === true) return step.value;
        items.push(step.value);
        advance();
      }
    } finally {
      state.done = true;
      advance();
    }
  };
  const result = run();
  result.catch(() => {}); // a reader of the items sees the fault there; it must not also count as unhandled
  async function* iterate(): AsyncGenerator<Item> {
    try {
      for (let i = 0; ; i++) {
        while (i >= items.length && !state.done) await wake.promise;
        const item = items[i];
        if (i >= items.length || item === undefined) break;
        yield item;
      }
      await result;
    } finally {
      state.stop = true;
    }
  }
  return Object.assign(result, { [Symbol.asyncIterator]: iterate });
}
