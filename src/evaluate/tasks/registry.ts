/** Every task of ours by name, for command lines and configurations. */
import type { TaskFactory } from "../task.ts";
import { generatedTasks } from "./generated.ts";
import { longBenchTasks } from "./longbench/index.ts";

export const tasks: Readonly<Record<string, TaskFactory>> = { ...generatedTasks, ...longBenchTasks };
