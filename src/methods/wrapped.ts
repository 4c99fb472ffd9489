import type { Method, MethodFactory } from "./method.ts";

/** A method changed, or a factory of methods that all are. */
export const wrapped = <Options>(
  method: Method | MethodFactory<Options>,
  change: (method: Method) => Method,
): Method | MethodFactory<Options> =>
  typeof method === "function" ? (options) => change(method(options)) : change(method);
