import { invalid } from "../options.ts";
import type { Method, MethodFactory } from "./method.ts";

/** A method changed, or a factory of methods that all are. */
export const wrapped = <Options>(
  method: Method | MethodFactory<Options>,
  change: (method: Method) => Method,
): Method | MethodFactory<Options> =>
  typeof method === "function" ? (options) => change(method(options)) : change(method);

/** For wrappers whose forms do not go together. @throws KvError `invalid_option` */
export function refuseForms(wrapper: string, method: Method, forms: readonly ("form" | "crossLayer")[]): void {
  if (forms.every((form) => method[form] === undefined)) return;
  const allowed = forms.includes("form")
    ? "a method that is not quantised, pruned or merged across layers"
    : "a method that is not merged across layers";
  throw invalid([wrapper, "method"], method.name, allowed);
}
