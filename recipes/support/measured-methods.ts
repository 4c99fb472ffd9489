/** The methods that need something measured on the model, told of it from the files that `bun run measure` writes. */
import { join } from "node:path";
import {
  KvError,
  loadCurves,
  loadHeads,
  type MeasuredMethod,
  type MethodFactory,
  type Model,
} from "../../src/index.ts";

/**
 * A method that reads what it needs from a folder: heads.safetensors or curves.safetensors.
 *
 * @throws KvError `invalid_option` where the folder has no such file, `wrong_model`, `corrupt_file`, `unsupported_format`
 */
export async function told(model: Model, method: MeasuredMethod, folder: string): Promise<MethodFactory> {
  const file = `${method.needs}.safetensors`;
  const path = join(folder, file);
  try {
    if (method.needs === "heads") {
      const heads = await loadHeads(model, path);
      return ({ budget }) => method.make({ budget, heads });
    }
    const curves = await loadCurves(model, path);
    return ({ budget }) => method.make({ budget, curves });
  } catch (cause) {
    if (!(cause instanceof KvError && cause.code === "model_not_found")) throw cause;
    throw withoutFile(folder, method);
  }
}

/** @param folder undefined where none was given */
export function withoutFile(folder: string | undefined, { needs }: MeasuredMethod): KvError {
  const allowed = `a folder that has ${needs}.safetensors`;
  const hint = `bun run measure --what ${needs} makes it`;
  return new KvError({ code: "invalid_option", path: ["--measured"], found: folder, allowed, hint });
}
