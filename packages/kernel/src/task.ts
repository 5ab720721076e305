/**
 * A task: a generator and what the scheduler must know of it; and the intrusive lists that tasks stand in.
 *
 * T1. One object of one shape per task, with few fields; what most tasks never need hangs on `extra`, made on first use. What the
 *     constructor sets is declared, not defined (docs/decisions/0006-how-the-kernel-is-fast.md).
 * T2. The state changes only along {@link TRANSITIONS}.
 * T3. A task ends once. Its exit then never changes.
 * T4. A task is in at most one {@link TaskList}; `task.list` names it. So taking it out of "whatever it waits in" is O(1) and
 *     allocates nothing. A task in `select` waits in several queues at once: it stands there as one {@link SelectNode} per queue.
 * T5. A task's path is its parent's path and its spawn index: the same in every run of the same program (docs/spec/recovery.md).
 */
import type { Brand } from "@glia-os/abi/ids";
import type { Random } from "@glia-os/abi/ports";
import type { Account } from "./budget/account.ts";
import type { Allowance } from "./fair-share/budget.ts";
import type { Share } from "./fair-share/share-group.ts";
import type { Routine } from "./operation.ts";
import type { Relations } from "./supervision/task-relations.ts";

/** The id of a task: local to one kernel, never reused while the kernel lives. */
export type TaskId = Brand<number, "TaskId">;

/** How a task ended. */
export type Exit<Value = unknown> =
  | { readonly kind: "ok"; readonly value: Value }
  | { readonly kind: "failed"; readonly error: unknown }
  | { readonly kind: "cancelled"; readonly reason: unknown }
  | { readonly kind: "killed"; readonly reason: unknown };

/** The state of a task by name. `cancelled` covers killed tasks too; their exit tells which. */
export type TaskState =
  | "ready"
  | "running"
  | "throttled"
  | "sleeping"
  | "waiting"
  | "finished"
  | "failed"
  | "cancelled";

export const READY = 0;
export const RUNNING = 1;
/** Its budget is used up: it goes on where it was when the period ends (`fair-share/budget.ts`). */
export const THROTTLED = 2;
export const SLEEPING = 3;
/** The last state of a task that lives: the states after it are ends. */
export const WAITING = 4;
export const FINISHED = 5;
export const FAILED = 6;
export const CANCELLED = 7;

/** Names by state number. */
export const STATE_NAMES: readonly TaskState[] = [
  "ready",
  "running",
  "throttled",
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
    (1 << THROTTLED) |
    (1 << SLEEPING) |
    (1 << WAITING) |
    (1 << FINISHED) |
    (1 << FAILED) |
    (1 << CANCELLED),
  /* throttled */ (1 << READY) | (1 << CANCELLED),
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

/** The task has an allowance: its turns are measured. */
export const METERED = 128;

/** Its routine is not a generator of the engine's own: it is asked by name. */
export const FOREIGN = 256;

/** What an ended task keeps instead of its generator, so that the generator's memory is free. */
export const ENDED: Routine<unknown> = (function* (): Routine<unknown> {
  return undefined;
})();

/** The rarely needed part of a task (T1). */
export class TaskExtra {
  name = "";
  /** This task's own path, once somebody asked. */
  path: string | null = null;
  /** Children spawned so far. */
  spawned = 0;
  /** Listeners of the shell. */
  exitListeners: ((exit: Exit) => void)[] | null = null;
  /** Where this task's select stands. */
  nodes: SelectNode[] | null = null;
  /** Why the task was cancelled or killed. */
  reason: unknown = undefined;
  /** The cancellation error that was thrown into the task. */
  cancelError: unknown = undefined;
  /** What its turns are measured by. */
  allowance: Allowance | null = null;
  /** Its membership in a group that shares turns. */
  share: Share<Task> | null = null;
  /** Links, monitors and names. */
  relations: Relations<Task, unknown> | null = null;
  /** This task's own random numbers. */
  random: Random | null = null;
  /** What its calls of services are paid from; null for the account of the kernel. */
  account: Account | null = null;
  /** Calls of services so far. */
  serviceCalls = 0;
}

/** A task. Internal: programs see its id. */
export class Task {
  id: TaskId = 0 as TaskId;
  state: number = READY;
  declare level: number;
  flags = 0;
  /** The syscall the task is parked in. */
  op = 0;
  /** Place in the timer heap, -1 without a timer. */
  timerAt = -1;
  /** The list the task stands in. */
  list: TaskList | null = null;
  prev: Task | null = null;
  next: Task | null = null;
  declare routine: Routine<unknown>;
  /** What the parked syscall gives back; after the end, the exit. */
  value: unknown = undefined;
  /** What the parked syscall needs to be given up or finished. */
  arg: unknown = undefined;
  declare readonly parent: number;
  declare readonly parentPath: string;
  declare readonly spawnIndex: number;
  /** First handle of this task's capability space, as an index; -1 without any. */
  firstHandle = -1;
  /** How many handles it holds. */
  handles = 0;
  /** Tasks that wait for this one's end. */
  waiters: TaskList | null = null;
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

  /** The path of this task (T5). */
  path(): string {
    return this.extra?.path ?? `${this.parentPath}/${this.spawnIndex}`;
  }
}

/** One wait of a `select`, standing in one queue. */
export interface SelectNode {
  readonly task: Task;
  /** Position in the list given to `select`. */
  readonly index: number;
  readonly queue: TaskList;
  /** What the wait brings along: the message to send, or how long to lease. */
  readonly offer: unknown;
  prev: SelectNode | null;
  next: SelectNode | null;
}

/** A first-in first-out list of tasks. */
export class TaskList {
  head: Task | null = null;
  tail: Task | null = null;
  /** First and last select that waits here (T4). */
  firstNode: SelectNode | null = null;
  lastNode: SelectNode | null = null;

  /** Whether nobody waits here. */
  get idle(): boolean {
    return this.head === null && this.firstNode === null;
  }

  /** Add at the end. The task must be in no list (T4). */
  push(task: Task): void {
    const tail = this.tail;
    task.list = this;
    task.prev = tail;
    if (tail === null) this.head = task;
    else tail.next = task;
    this.tail = task;
  }

  /** Add at the front. The task must be in no list (T4). */
  unshift(task: Task): void {
    const head = this.head;
    task.list = this;
    task.next = head;
    if (head === null) this.tail = task;
    else head.prev = task;
    this.head = task;
  }

  /** Put a task that is in no list where another one stands, which then is in none. */
  replace(old: Task, task: Task): void {
    const { prev, next } = old;
    task.list = this;
    task.prev = prev;
    task.next = next;
    if (prev === null) this.head = task;
    else prev.next = task;
    if (next === null) this.tail = task;
    else next.prev = task;
    old.list = null;
    old.prev = null;
    old.next = null;
  }

  /** Take the first. */
  shift(): Task | null {
    const task = this.head;
    if (task === null) return null;
    const next = task.next;
    this.head = next;
    if (next === null) this.tail = null;
    else next.prev = null;
    task.next = null;
    task.list = null;
    return task;
  }

  /** Take one out of the middle. The task must be in this list. */
  remove(task: Task): void {
    const { prev, next } = task;
    if (prev === null) this.head = next;
    else prev.next = next;
    if (next === null) this.tail = prev;
    else next.prev = prev;
    task.prev = null;
    task.next = null;
    task.list = null;
  }

  /** Let a select wait here, behind the selects that already do. */
  join(task: Task, index: number, offer?: unknown): SelectNode {
    const node: SelectNode = { task, index, queue: this, offer, prev: this.lastNode, next: null };
    if (this.lastNode === null) this.firstNode = node;
    else this.lastNode.next = node;
    this.lastNode = node;
    return node;
  }

  /** Take a select out. */
  leave(node: SelectNode): void {
    if (node.prev === null) this.firstNode = node.next;
    else node.prev.next = node.next;
    if (node.next === null) this.lastNode = node.prev;
    else node.next.prev = node.prev;
  }

  /** How many tasks stand here, selects not counted. O(n). */
  count(): number {
    let n = 0;
    for (let task = this.head; task !== null; task = task.next) n++;
    return n;
  }
}
