/** Tasks as a command line or a configuration names them. */
import { KvError } from "../../error.ts";
import type { Task, TaskFactory } from "../task.ts";

/**
 * A task from its name and, if need be, options as JSON: `needle`, or `needle {"lengths":[500]}`.
 *
 * @throws KvError `invalid_option`, which lists the known names; what the task throws for its options
 */
export function taskFromText(text: string, known: Readonly<Record<string, TaskFactory>>): Task {
  const [, name = "", json = ""] = /^\s*([^\s{]*)\s*(.*)$/s.exec(text) ?? [];
  const make = new Map(Object.entries(known)).get(name);
  if (make !== undefined) return make(json.trim() === "" ? {} : optionsOf(name, json));
  const allowed = `one of ${new Intl.ListFormat("en", { type: "disjunction" }).format(Object.keys(known))}`;
  throw new KvError({ code: "invalid_option", path: ["task"], found: name, allowed });
}

function optionsOf(name: string, json: string): object {
  const wrong = (cause?: unknown) => {
    const allowed = 'options as JSON, such as {"examples":10}';
    return new KvError({ code: "invalid_option", path: [name, "options"], found: json.trim(), allowed, cause });
  };
  try {
    const options: unknown = JSON.parse(json);
    if (typeof options === "object" && options !== null && !Array.isArray(options)) return options;
  } catch (cause) {
    throw wrong(cause);
  }
  throw wrong();
}
