/** The methods that a user names: registered ones, the peers', and those that are told of measurements; with a decoding policy or none. */
import type { SweepMethod } from "../../src/evaluate/index.ts";
import { type MethodFactory, type Model, publishedRegistry, registry } from "../../src/index.ts";
import { one } from "./command.ts";
import { told, toldMethods, withoutFile } from "./measured-methods.ts";
import { namedPolicy } from "./named-policy.ts";

type Made<Kind> = (model: Model) => Promise<Kind>;

/**
 * The methods named, once the model is there.
 *
 * @param names separated by commas, each alone or as "method+policy"
 * @param folder where measurements are
 * @throws KvError `invalid_option` at once for a name that is not known, or one that needs measurements where there is no folder
 */
export function chosenMethods(names: string, folder: string | undefined): Made<SweepMethod[]> {
  const chosen = names.split(",").map((name) => chosenMethod(name.trim(), folder));
  return (model) => Promise.all(chosen.map((make) => make(model)));
}

function chosenMethod(text: string, folder: string | undefined): Made<SweepMethod> {
  const [name = "", ...policy] = text.split("+");
  const make = methodNamed(name, folder);
  if (policy.length === 0) return make;
  const following = namedPolicy(policy.join("+"));
  return async (model) => {
    const method = await make(model);
    return { method, evict: following(method) };
  };
}

function methodNamed(name: string, folder: string | undefined): Made<MethodFactory> {
  const method = one("--methods", name, { ...registry, ...publishedRegistry, ...toldMethods });
  if (typeof method === "function") return async () => method;
  if (folder === undefined) throw withoutFile(folder, method);
  return (model) => told(model, method, folder);
}
