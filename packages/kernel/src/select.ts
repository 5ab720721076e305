/**
 * Waiting for the first of several events.
 *
 * W1. The waits are looked at in the order given; the first that is ready wins and no other is consumed.
 * W2. While parked, the task stands in every queue. The first event takes it out of all of them: nothing else is consumed.
 */
import { RIGHTS } from "@glia-os/abi/syscalls";
import { portConsume, portJoin, portReady } from "./channel/selecting.ts";
import { SELECT_LIMIT } from "./constants.ts";
import { checkDuration, deadlineAfter } from "./duration.ts";
import { BadSelectError, UnknownTaskError, WaitOnSelfError } from "./errors.ts";
import { take } from "./ipc.ts";
import type { Mailbox } from "./mailbox.ts";
import type { Notification } from "./notification.ts";
import { READ_WAIT, SELECT, WRITE_WAIT } from "./opcodes.ts";
import { waitable } from "./resources/use.ts";
import type { Scheduler } from "./scheduler.ts";
import { type Exit, type SelectNode, type Task, type TaskId, TaskList, WAITING } from "./task.ts";
import { AFTER, END, KEY, MESSAGE, READABLE, SIGNALS, type Wait, WRITABLE } from "./wait.ts";

/** The result of the first wait that is ready now, or null. Checks all of them first. */
export function poll(scheduler: Scheduler, task: Task, waits: readonly Wait[]): [number, unknown] | null {
  if (!Array.isArray(waits) || waits.length === 0) throw new BadSelectError("it names no wait");
  if (waits.length > SELECT_LIMIT)
    throw new BadSelectError(`it names ${waits.length} waits; ${SELECT_LIMIT} is the most`);
  let found: [number, unknown] | null = null;
  let hit = -1;
  for (let i = 0; i < waits.length; i++) if (isReady(scheduler, task, waits[i]!) && hit < 0) hit = i;
  if (hit >= 0) found = [hit, consume(scheduler, task, waits[hit]!, hit)];
  return found;
}

/** Let the task stand in every queue (W2) and set its time limit. Returns the index of the time limit that counts, or -1. */
export function enlist(scheduler: Scheduler, task: Task, waits: readonly Wait[]): number {
  const nodes: SelectNode[] = [];
  let limit = -1;
  let soonest = Number.POSITIVE_INFINITY;
  for (let i = 0; i < waits.length; i++) {
    const { kind, subject } = waits[i]!;
    if (kind === AFTER) {
      if ((subject as number) < soonest) {
        soonest = subject as number;
        limit = i;
      }
    } else if (isPort(scheduler, task, kind, subject)) nodes.push(portJoin(scheduler, task, waits[i]!, i));
    else nodes.push(queueOf(scheduler, task, kind, subject).join(task, i));
  }
  task.more().nodes = nodes;
  if (limit >= 0) scheduler.timers.set(task, deadlineAfter(scheduler.setup.clock, soonest, "a time limit"));
  return limit;
}

/** Let the task stand in the queues of ends of tasks, none of which has ended. */
export function enlistForEnds(scheduler: Scheduler, task: Task, ids: readonly TaskId[]): void {
  task.more().nodes = ids.map((id, index) => waitersOf(scheduler.tasks.get(id)!).join(task, index));
}

/** The task with an id, for waiting. @throws {UnknownTaskError} {WaitOnSelfError} */
export function awaited(scheduler: Scheduler, task: Task, id: TaskId): Task {
  const target = scheduler.tasks.get(id);
  if (target === undefined) throw new UnknownTaskError(id);
  if (target === task) throw new WaitOnSelfError(task.id);
  return target;
}

/** The queue of tasks that wait for this one's end. */
export function waitersOf(target: Task): TaskList {
  return (target.waiters ??= new TaskList());
}

function mailboxOf(scheduler: Scheduler, task: Task, subject: unknown): Mailbox {
  return scheduler.seam.authorize(SELECT, task, subject as number, RIGHTS.receive, "mailbox") as Mailbox;
}

function notificationOf(scheduler: Scheduler, task: Task, subject: unknown): Notification {
  return scheduler.seam.authorize(
    SELECT,
    task,
    subject as number,
    RIGHTS.receive,
    "notification",
  ) as Notification;
}

/** Whether a wait is not for a mailbox but for one of the objects of `channel/selecting.ts`. */
function isPort(scheduler: Scheduler, task: Task, kind: number, subject: unknown): boolean {
  if (kind !== MESSAGE) return kind > WRITABLE;
  const object = scheduler.capabilities.find(subject as number, task, RIGHTS.receive);
  return object !== null && object.kind !== "mailbox";
}

function isReady(scheduler: Scheduler, task: Task, wait: Wait): boolean {
  if (typeof wait !== "object" || wait === null) throw new BadSelectError("one of its waits is none");
  const { kind, subject } = wait;
  if (isPort(scheduler, task, kind, subject)) return portReady(scheduler, task, wait);
  if (kind === MESSAGE) return mailboxOf(scheduler, task, subject).size > 0;
  if (kind === SIGNALS) return notificationOf(scheduler, task, subject).bits !== 0;
  if (kind === END) return awaited(scheduler, task, subject as TaskId).state > WAITING;
  if (kind === READABLE) return waitable(scheduler, READ_WAIT, task, subject as number).readable;
  if (kind === WRITABLE) return waitable(scheduler, WRITE_WAIT, task, subject as number).writable;
  if (kind === AFTER) checkDuration(subject as number, "a time limit");
  else if (kind !== KEY) throw new BadSelectError("one of its waits was not made by this package");
  return false;
}

function consume(scheduler: Scheduler, task: Task, wait: Wait, index: number): unknown {
  const { kind, subject } = wait;
  if (isPort(scheduler, task, kind, subject)) return portConsume(scheduler, task, wait, index);
  if (kind === MESSAGE) return take(scheduler, mailboxOf(scheduler, task, subject));
  if (kind === SIGNALS) return notificationOf(scheduler, task, subject).take();
  if (kind === READABLE || kind === WRITABLE) return undefined;
  return scheduler.tasks.get(subject as TaskId)!.value as Exit;
}

function queueOf(scheduler: Scheduler, task: Task, kind: number, subject: unknown): TaskList {
  if (kind === MESSAGE) return mailboxOf(scheduler, task, subject).takers;
  if (kind === SIGNALS) return notificationOf(scheduler, task, subject).takers;
  if (kind === KEY) return scheduler.waits.at(subject);
  if (kind === READABLE) return waitable(scheduler, READ_WAIT, task, subject as number).takers;
  if (kind === WRITABLE) return waitable(scheduler, WRITE_WAIT, task, subject as number).writers;
  return waitersOf(awaited(scheduler, task, subject as TaskId));
}
