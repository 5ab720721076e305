/**
 * What a running program shows of itself, as one line of JSON.
 *
 * SV1. It is bounded: {@link VIEW_TASKS} tasks, those with the lowest ids; the others are counted.
 */
import type { KernelDump } from "@glia-os/kernel";

/** Tasks of one view. */
export const VIEW_TASKS = 1000;
/** Handles of one task, and of the shell, in a view. */
export const VIEW_HANDLES = 64;
/** Longest line of the answer in bytes: 16 MiB. */
export const VIEW_LIMIT_BYTES = 16_777_216;
/** What is asked. */
export const ASK_STATE = "state";

/** One view of a program. */
export interface StateView {
  readonly pid: number;
  readonly file: string;
  readonly args: readonly string[];
  readonly uptimeMs: number;
  readonly rssBytes: number;
  readonly state: KernelDump;
}

/** A dump within the bounds of a view (SV1). */
export function boundedDump(dump: KernelDump): KernelDump {
  const tasks = dump.tasks.slice(0, VIEW_TASKS);
  return {
    ...dump,
    tasks: tasks.map((task) => ({ ...task, handles: task.handles.slice(0, VIEW_HANDLES) })),
    omitted: dump.omitted + dump.tasks.length - tasks.length,
    shell: dump.shell.slice(0, VIEW_HANDLES),
  };
}
