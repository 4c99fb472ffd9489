/** The methods that a user names: registered ones, the peers', and those that are told of measurements. */
import { type MethodFactory, type Model, measuredRegistry, publishedRegistry, registry } from "../../src/index.ts";
import { named } from "./command.ts";
import { told, withoutFile } from "./measured-methods.ts";

type Made = (model: Model) => Promise<MethodFactory>;

/**
 * The methods named, once the model is there.
 *
 * @param folder where measurements are
 * @throws KvError `invalid_option` at once for a name that is not known, or one that needs measurements where there is no folder
 */
export function chosenMethods(names: string, folder: string | undefined): (model: Model) => Promise<MethodFactory[]> {
  const chosen = named("--methods", names, { ...registry, ...publishedRegistry, ...measuredRegistry }).map(
    (method): Made => {
      if (typeof method === "function") return async () => method;
      if (folder === undefined) throw withoutFile(folder, method);
      return (model) => told(model, method, folder);
    },
  );
  return (model) => Promise.all(chosen.map((make) => make(model)));
}
