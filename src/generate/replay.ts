import { turn } from "../runtime.ts";

/** A running computation that can be awaited whole and iterated as it goes, by any number of readers, each from the beginning. */
export interface Replay<Item, Result> extends Promise<Result>, AsyncIterable<Item> {}

/**
 * Starts `source` and gives its items as they come and its return value as a promise.
 * When the last reader leaves its `for await` early, the source is asked to return, so that nobody computes what nobody reads.
 *
 * @param left the result where readers left
 */
export function replay<Item, Result>(source: AsyncGenerator<Item, Result>, left: () => Result): Replay<Item, Result> {
  const items: Item[] = [];
  const state = { done: false, left: false, readers: 0 };
  let wake = Promise.withResolvers<void>();
  const advance = () => {
    wake.resolve();
    wake = Promise.withResolvers<void>();
  };
  const run = async (): Promise<Result> => {
    try {
      for (;;) {
        const step = state.left ? await source.return(left()) : await source.next();
        if (step.done === true) return step.value;
        items.push(step.value);
        advance();
        if (state.readers > 0) await turn(); // a reader that leaves at this item is heard before the next is begun
      }
    } finally {
      state.done = true;
      advance();
    }
  };
  const result = run();
  result.catch(() => {}); // a reader of the items sees the fault there; it must not also count as unhandled
  async function* iterate(): AsyncGenerator<Item> {
    state.readers++;
    try {
      for (let next = 0; !state.done || next < items.length; ) {
        if (next === items.length) await wake.promise;
        for (const item of items.slice(next)) {
          next++;
          yield item;
        }
      }
      await result;
    } finally {
      state.readers--;
      if (state.readers === 0) state.left = true;
    }
  }
  return Object.assign(result, { [Symbol.asyncIterator]: iterate });
}
