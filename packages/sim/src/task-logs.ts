/**
 * What each task did and got, as its program can know it: one text per task, comparable between runs in which other tasks differ.
 *
 * TL1. In it: calls, refusals, journaled outcomes, ends, with virtual time. Not in it: whether a call had to wait, and turns of the
 *      scheduler, because they depend on who else runs.
 * TL2. Handles are named by the order in which the task used them first, tasks by path: their numbers depend on what others made. A
 *      number inside a message is shown as it is.
 */
import type { TaskId } from "@glia-os/kernel";
import { TASK_LOG_LENGTH } from "./limits.ts";
import type { VirtualTime } from "./virtual-time.ts";

/** Syscalls whose argument is a task. */
const ABOUT_TASKS: ReadonlySet<string> = new Set(["wait", "kill", "cancel", "link", "unlink", "monitor"]);
/** Syscalls whose argument is a plain number. */
const ABOUT_NUMBERS: ReadonlySet<string> = new Set(["sleep", "random", "region"]);
/** Syscalls whose argument says which of several waits came first, if it came at once. */
const ABOUT_TIMING: ReadonlySet<string> = new Set(["select", "waitAny"]);

class TaskLog {
  text = "";
  /** Characters that did not fit. */
  dropped = 0;
  readonly handles = new Map<number, number>();
}

/** The logs of all tasks of a run. */
export class TaskLogs {
  readonly #time: VirtualTime;
  readonly #logs = new Map<string, TaskLog>();

  constructor(time: VirtualTime) {
    this.#time = time;
  }

  /** A task made a call. */
  call(
    task: string,
    syscall: string,
    refused: boolean,
    argument: number,
    paths: ReadonlyMap<TaskId, string>,
  ): void {
    const log = this.#log(task);
    const about = ABOUT_TIMING.has(syscall) ? "" : nameOf(log, syscall, argument, paths);
    this.#write(log, `${syscall}(${about})${refused ? " refused" : ""}`);
  }

  /** A syscall gave a task this. */
  outcome(task: string, syscall: string, failed: boolean, digest: string): void {
    this.#write(this.#log(task), `${syscall} ${failed ? "threw" : "gave"} ${digest}`);
  }

  /** A task ended. */
  end(task: string, kind: string, digest: string): void {
    this.#write(this.#log(task), `end ${kind} ${digest}`);
  }

  /** The texts by task path. A text that was too long says at its end how much is missing. */
  texts(): ReadonlyMap<string, string> {
    return new Map(
      [...this.#logs].map(([path, { text, dropped }]) => [
        path,
        dropped === 0 ? text : `${text}(${dropped} characters more)\n`,
      ]),
    );
  }

  #log(task: string): TaskLog {
    let log = this.#logs.get(task);
    if (log === undefined) {
      log = new TaskLog();
      this.#logs.set(task, log);
    }
    return log;
  }

  #write(log: TaskLog, what: string): void {
    const line = `${this.#time.nowMs} ${what}\n`;
    if (log.text.length + line.length > TASK_LOG_LENGTH || log.dropped > 0) log.dropped += line.length;
    else log.text += line;
  }
}

function nameOf(log: TaskLog, syscall: string, argument: number, paths: ReadonlyMap<TaskId, string>): string {
  if (argument === 0) return "";
  if (ABOUT_NUMBERS.has(syscall)) return String(argument);
  if (ABOUT_TASKS.has(syscall)) {
    const path = paths.get(argument as TaskId);
    if (path !== undefined) return path;
  }
  let place = log.handles.get(argument);
  if (place === undefined) {
    place = log.handles.size;
    log.handles.set(argument, place);
  }
  return `#${place}`;
}
