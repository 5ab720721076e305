/**
 * The one iterator behind every blocking syscall.
 *
 * O1. `arm` puts opcode and arguments into the scheduler's registers; the first `next` performs; after a park the second `next`
 *     hands over the result. Nothing is allocated, and a syscall that need not wait never reaches the scheduler.
 * O2. An armed operation must be performed before another is made, and only once: both mistakes are refused.
 */
import { RIGHTS, syscallByNumber } from "@glia-os/abi/syscalls";
import { PendingReply } from "./call.ts";
import { deadlineAfter } from "./duration.ts";
import type { Start } from "./effect.ts";
import { OperationNotUsedError, OperationReusedError, OutsideTaskError, TaskKilledError } from "./errors.ts";
import { External } from "./external.ts";
import { full, MUST_WAIT, NO_ROOM, offer, take } from "./ipc.ts";
import type { Mailbox } from "./mailbox.ts";
import type { Notification } from "./notification.ts";
import * as op from "./opcodes.ts";
import type { Park } from "./operation.ts";
import { waitable } from "./resources/use.ts";
import { PARK, type Scheduler } from "./scheduler.ts";
import { awaited, enlist, enlistForEnds, poll, waitersOf } from "./select.ts";
import {
  CANCEL_PENDING,
  KILLED,
  RESUMING,
  SLEEPING,
  type Task,
  type TaskId,
  THROWING,
  WAITING,
} from "./task.ts";
import { DONE as TRACED_DONE, PARKED as TRACED_PARKED } from "./trace-ring.ts";
import { endOf, type Wait } from "./wait.ts";

type Result = IteratorResult<Park, unknown>;

/** Whether outcomes of a syscall are journaled, by number: those whose effect class is not `local`. */
const JOURNALED: readonly boolean[] = Array.from({ length: op.OPCODES }, (_, number) => {
  const row = syscallByNumber(number);
  return row !== undefined && row.effect !== "local";
});

/** Performs armed operations. One per kernel. */
export class Performer implements Iterator<Park, unknown, unknown> {
  readonly #scheduler: Scheduler;
  readonly #done: { done: true; value: unknown } = { done: true, value: undefined };

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  [Symbol.iterator](): this {
    return this;
  }

  /** Make an operation (O1). */
  arm(opcode: number, a: unknown, b: unknown, c: unknown): this {
    const s = this.#scheduler;
    if (s.current === null) throw new OutsideTaskError(op.OPCODE_NAMES[opcode] ?? "a syscall");
    const earlier = s.armed;
    if (earlier !== 0) {
      s.armed = 0;
      throw new OperationNotUsedError(op.OPCODE_NAMES[earlier] ?? "a syscall");
    }
    s.armed = opcode;
    s.a = a;
    s.b = b;
    s.c = c;
    return this;
  }

  next(): Result {
    const s = this.#scheduler;
    const task = s.current;
    if (task === null) throw new OutsideTaskError("yield*");
    const opcode = s.armed;
    if (opcode === 0) return this.#resumed(task);
    s.armed = 0;
    if ((task.flags & (KILLED | CANCEL_PENDING)) !== 0) this.#interrupt(task);
    s.seam.calls[opcode]!++;
    s.fuel--;
    switch (opcode) {
      case op.RECEIVE:
        return this.#receive(task);
      case op.SEND:
        return this.#send(task);
      case op.YIELD:
        return this.#yield(task);
      case op.SELECT:
        return this.#select(task);
      case op.CALL:
        return this.#call(task);
      case op.WAIT:
        return this.#wait(task);
      case op.SLEEP:
        return this.#sleep(task);
      case op.WAIT_SIGNAL:
        return this.#waitSignal(task);
      case op.WAIT_ANY:
        return this.#waitAny(task);
      case op.WAIT_ON:
        return this.#waitOn(task);
      case op.EXTERNAL:
        return this.#external(task);
      case op.READ_WAIT:
      case op.WRITE_WAIT:
        return this.#waitReady(task, opcode);
      default:
        return this.#exit(task);
    }
  }

  /** An error thrown into the generator at `yield*` passes through. */
  throw(error: unknown): Result {
    throw error;
  }

  /** Go on after a park. */
  #resumed(task: Task): Result {
    if ((task.flags & RESUMING) === 0) throw new OperationReusedError();
    const value = task.value;
    const failed = (task.flags & THROWING) !== 0;
    task.value = undefined;
    task.flags &= ~(RESUMING | THROWING);
    if (JOURNALED[task.op] === true) this.#scheduler.seam.journal.outcome(task.id, task.op, value, failed);
    if (failed) throw value;
    const done = this.#done;
    done.value = value;
    return done;
  }

  #interrupt(task: Task): never {
    if ((task.flags & KILLED) !== 0) throw new TaskKilledError(task.id);
    task.flags &= ~CANCEL_PENDING;
    throw this.#scheduler.cancellation(task);
  }

  /** The result is at hand: go on at once, or at the next turn when this one is used up. */
  #finish(task: Task, opcode: number, argument: number, value: unknown): Result {
    const s = this.#scheduler;
    s.seam.trace.write(opcode, TRACED_DONE, task.id, argument);
    if (s.fuel <= 0) {
      s.seam.counters.turnsUsedUp++;
      return s.preempt(task, opcode, value);
    }
    if (JOURNALED[opcode] === true) s.seam.journal.outcome(task.id, opcode, value, false);
    const done = this.#done;
    done.value = value;
    return done;
  }

  #park(task: Task, opcode: number, argument: number, state: number): Result {
    const s = this.#scheduler;
    s.seam.trace.write(opcode, TRACED_PARKED, task.id, argument);
    return s.park(task, opcode, state);
  }

  #receive(task: Task): Result {
    const s = this.#scheduler;
    const handle = s.a as number;
    const mailbox = s.seam.authorize(op.RECEIVE, task, handle, RIGHTS.receive, "mailbox") as Mailbox;
    if (mailbox.size > 0) return this.#finish(task, op.RECEIVE, handle, take(s, mailbox));
    mailbox.takers.push(task);
    return this.#park(task, op.RECEIVE, handle, WAITING);
  }

  #send(task: Task): Result {
    const s = this.#scheduler;
    const handle = s.a as number;
    const mailbox = s.seam.authorize(op.SEND, task, handle, RIGHTS.send, "mailbox") as Mailbox;
    const message = s.b;
    s.b = undefined;
    const outcome = offer(s, mailbox, message, true);
    if (outcome === NO_ROOM) throw full(mailbox);
    if (outcome !== MUST_WAIT) return this.#finish(task, op.SEND, handle, undefined);
    this.#queueSender(task, mailbox, message);
    return this.#park(task, op.SEND, handle, WAITING);
  }

  #queueSender(task: Task, mailbox: Mailbox, message: unknown): void {
    this.#scheduler.seam.counters.pauses++;
    task.arg = message;
    mailbox.senders.push(task);
  }

  #yield(task: Task): Result {
    const s = this.#scheduler;
    if (s.ready.empty && s.fuel > 0) return this.#finish(task, op.YIELD, 0, undefined);
    s.seam.trace.write(op.YIELD, TRACED_PARKED, task.id, 0);
    return s.preempt(task, op.YIELD, undefined);
  }

  #select(task: Task): Result {
    const s = this.#scheduler;
    const waits = s.a as readonly Wait[];
    const found = poll(s, task, waits);
    if (found !== null) return this.#finish(task, op.SELECT, found[0], found);
    const limit = enlist(s, task, waits);
    task.arg = limit;
    return this.#park(task, op.SELECT, 0, WAITING);
  }

  #call(task: Task): Result {
    const s = this.#scheduler;
    const handle = s.a as number;
    const timeoutMs = s.c as number;
    const mailbox = s.seam.authorize(op.CALL, task, handle, RIGHTS.call, "mailbox") as Mailbox;
    const deadline = deadlineAfter(s.setup.clock, timeoutMs, "a call's time limit");
    const request = new PendingReply(task, s.b, timeoutMs);
    s.b = undefined;
    const outcome = offer(s, mailbox, request, true);
    if (outcome === NO_ROOM) throw full(mailbox);
    task.arg = request;
    if (outcome === MUST_WAIT) this.#queueSender(task, mailbox, request);
    s.timers.set(task, deadline);
    return this.#park(task, op.CALL, handle, WAITING);
  }

  #wait(task: Task): Result {
    const s = this.#scheduler;
    const id = s.a as TaskId;
    const target = awaited(s, task, id);
    if (target.state > WAITING) return this.#finish(task, op.WAIT, id, target.value);
    waitersOf(target).push(task);
    return this.#park(task, op.WAIT, id, WAITING);
  }

  #waitAny(task: Task): Result {
    const s = this.#scheduler;
    const ids = s.a as readonly TaskId[];
    const found = poll(s, task, Array.isArray(ids) ? ids.map((id: TaskId) => endOf(id)) : []);
    if (found !== null) return this.#finish(task, op.WAIT_ANY, found[0], [ids[found[0]], found[1]]);
    enlistForEnds(s, task, ids);
    task.arg = ids;
    return this.#park(task, op.WAIT_ANY, 0, WAITING);
  }

  #sleep(task: Task): Result {
    const s = this.#scheduler;
    const durationMs = s.a as number;
    s.timers.set(task, deadlineAfter(s.setup.clock, durationMs, "a sleep"));
    return this.#park(task, op.SLEEP, durationMs, SLEEPING);
  }

  #waitSignal(task: Task): Result {
    const s = this.#scheduler;
    const handle = s.a as number;
    const object = s.seam.authorize(op.WAIT_SIGNAL, task, handle, RIGHTS.receive, "notification");
    const notification = object as Notification;
    if (notification.bits !== 0) return this.#finish(task, op.WAIT_SIGNAL, handle, notification.take());
    notification.takers.push(task);
    return this.#park(task, op.WAIT_SIGNAL, handle, WAITING);
  }

  #waitOn(task: Task): Result {
    const s = this.#scheduler;
    task.arg = s.a;
    s.waits.at(s.a).push(task);
    return this.#park(task, op.WAIT_ON, 0, WAITING);
  }

  #waitReady(task: Task, opcode: number): Result {
    const s = this.#scheduler;
    const handle = s.a as number;
    const resource = waitable(s, opcode, task, handle);
    const writing = opcode === op.WRITE_WAIT;
    if (writing ? resource.writable : resource.readable) return this.#finish(task, opcode, handle, undefined);
    (writing ? resource.writers : resource.takers).push(task);
    return this.#park(task, opcode, handle, WAITING);
  }

  #external(task: Task): Result {
    const s = this.#scheduler;
    const start = s.a as Start<unknown>;
    s.seam.journal.intent(task.id, op.EXTERNAL);
    const external = new External(s, task);
    const giveUp = start(external);
    const { outcome } = external;
    if (outcome !== null) {
      if (!outcome.failed) return this.#finish(task, op.EXTERNAL, 0, outcome.value);
      s.seam.journal.outcome(task.id, op.EXTERNAL, outcome.value, true);
      throw outcome.value;
    }
    external.giveUp = giveUp ?? null;
    external.parked();
    task.arg = external;
    return this.#park(task, op.EXTERNAL, 0, WAITING);
  }

  #exit(task: Task): Result {
    const s = this.#scheduler;
    s.seam.trace.write(op.EXIT, TRACED_DONE, task.id, 0);
    task.value = s.a;
    task.op = op.EXIT;
    s.current = null;
    return PARK;
  }
}
