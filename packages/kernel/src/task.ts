/**
 * A task: a generator and what the scheduler must know of it.
 *
 * T1. One object of one shape per task, with few fields; what most tasks never need hangs on `extra`, made on first use.
 * T2. The state changes only along {@link TRANSITIONS}.
 * T3. A task ends once. Its exit then never changes.
 * T4. A task's path is its parent's path and its spawn index: the same in every run of the same program (docs/spec/recovery.md).
 */
import type { Brand } from "@glia-os/abi/ids";
import type { Random } from "@glia-os/abi/ports";
import type { Routine } from "./operation.ts";
import type { SelectNode, TaskList } from "./task-list.ts";

/** The id of a task: local to one kernel, never reused while the kernel lives. */
export type TaskId = Brand<number, "TaskId">;

/** How a task ended. */
export type Exit<Value = unknown> =
  | { readonly kind: "ok"; readonly value: Value }
  | { readonly kind: "failed"; readonly error: unknown }
  | { readonly kind: "cancelled"; readonly reason: unknown }
  | { readonly kind: "killed"; readonly reason: unknown };

/** The state of a task by name. `cancelled` covers killed tasks too; their exit tells which. */
export type TaskState = "ready" | "running" | "sleeping" | "waiting" | "finished" | "failed" | "cancelled";

export const READY = 0;
export const RUNNING = 1;
export const SLEEPING = 2;
export const WAITING = 3;
export const FINISHED = 4;
export const FAILED = 5;
export const CANCELLED = 6;

/** Names by state number. */
export const STATE_NAMES: readonly TaskState[] = [
  "ready",
  "running",
  "sleeping",
  "waiting",
  "finished",
  "failed",
  "cancelled",
];

/** Per state, the set of states that may follow, as bits (T2). */
export const TRANSITIONS: readonly number[] = [
  /* ready     */ (1 << RUNNING) | (1 << CANCELLED),
  /* running   */ (1 << READY) |
    (1 << SLEEPING) |
    (1 << WAITING) |
    (1 << FINISHED) |
    (1 << FAILED) |
    (1 << CANCELLED),
  /* sleeping  */ 1 << READY,
  /* waiting   */ 1 << READY,
  /* finished  */ 0,
  /* failed    */ 0,
  /* cancelled */ 0,
];

/** The parked syscall is done; its iterator hands over `value`. */
export const RESUMING = 1;
/** `value` is an error to throw at the parked syscall. */
export const THROWING = 2;
/** The task is being ended: it may not wait any more. */
export const KILLED = 4;
/** A cancellation has not shown yet: it does at the next blocking syscall. */
export const CANCEL_PENDING = 8;
/** A cancellation was asked for, shown or not. */
export const CANCEL_ASKED = 16;
/** The last yield was no syscall: `value` is thrown at it. */
export const BAD_YIELD = 32;
/** The task called `exit`: it is unwound like a killed one and ends well. */
export const LEAVING = 64;

/** The rarely needed part of a task (T1). */
export class TaskExtra {
  name = "";
  /** This task's own path, once somebody asked. */
  path: string | null = null;
  /** Children spawned so far. */
  spawned = 0;
  /** Tasks that wait for this one's end. */
  waiters: TaskList | null = null;
  /** Listeners of the shell. */
  exitListeners: ((exit: Exit) => void)[] | null = null;
  /** First handle of this task's capability space, as an index; -1 without any. */
  firstHandle = -1;
  handles = 0;
  /** Where this task's select stands. */
  nodes: SelectNode[] | null = null;
  /** Why the task was cancelled or killed. */
  reason: unknown = undefined;
  /** The cancellation error that was thrown into the task. */
  cancelError: unknown = undefined;
  /** This task's own random numbers. */
  random: Random | null = null;
}

/** A task. Internal: programs see its id. */
export class Task {
  id: TaskId = 0 as TaskId;
  state: number = READY;
  level: number;
  flags = 0;
  /** The syscall the task is parked in. */
  op = 0;
  /** Place in the timer heap, -1 without a timer. */
  timerAt = -1;
  /** The list the task stands in. */
  list: TaskList | null = null;
  prev: Task | null = null;
  next: Task | null = null;
  routine: Routine<unknown>;
  /** What the parked syscall gives back; after the end, the exit. */
  value: unknown = undefined;
  /** What the parked syscall needs to be given up or finished. */
  arg: unknown = undefined;
  readonly parent: number;
  readonly parentPath: string;
  readonly spawnIndex: number;
  extra: TaskExtra | null = null;

  constructor(
    routine: Routine<unknown>,
    level: number,
    parent: number,
    parentPath: string,
    spawnIndex: number,
  ) {
    this.routine = routine;
    this.level = level;
    this.parent = parent;
    this.parentPath = parentPath;
    this.spawnIndex = spawnIndex;
  }

  /** The rarely needed part, made on first use. */
  more(): TaskExtra {
    return (this.extra ??= new TaskExtra());
  }

  /** The path of this task (T4). */
  path(): string {
    return this.extra?.path ?? `${this.parentPath}/${this.spawnIndex}`;
  }
}
