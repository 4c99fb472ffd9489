/**
 * Works on a store, as JSON arguments say, and prints a line after each append: `store-process.ts PATH APPENDS EACH [HOLD]`.
 * HOLD keeps the store open until the process is killed.
 */
import process from "node:process";
import { KvError } from "../../src/error.ts";
import { openStore } from "../../src/evaluate/store/index.ts";
import { result } from "./results.ts";

const [path = "", appends = "0", each = "0", hold] = process.argv.slice(2);
try {
  await using store = await openStore(path);
  const from = (await store.keys()).size;
  console.log(`open ${from}`);
  for (let i = 0; i < Number(appends); i++) {
    const start = from + i * Number(each);
    const batch = Array.from({ length: Number(each) }, (_, j) =>
      result({ key: `${start + j}`, answer: `${j} `.repeat(200) }),
    );
    console.log(`added ${await store.append(batch)}`);
  }
  if (hold !== undefined) await new Promise((resolve) => setTimeout(resolve, 600_000));
} catch (thrown) {
  console.log(thrown instanceof KvError ? `${thrown.code} ${thrown.message}` : `bug ${thrown}`);
}
