import { KvError } from "../../src/error.ts";

/** The KvError that `work` throws or rejects with; any other outcome is a failure of the test. */
export async function faultOf(work: () => unknown): Promise<KvError> {
  try {
    await work();
  } catch (thrown) {
    if (thrown instanceof KvError) return thrown;
    throw thrown;
  }
  throw new Error("nothing was thrown");
}
