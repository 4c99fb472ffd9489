/** Memory on a device whose owner was forgotten rather than disposed: it goes when the owner is collected, which may be late. */
const forgotten = new FinalizationRegistry<() => void>((release) => release());

/** What frees an owner's memory, once: when it is called, or when the owner is collected. @param release must not hold the owner */
export function freedWith(owner: object, release: () => void): () => void {
  const token = {};
  let live = true;
  const once = () => {
    if (!live) return;
    live = false;
    forgotten.unregister(token);
    release();
  };
  forgotten.register(owner, once, token);
  return once;
}
