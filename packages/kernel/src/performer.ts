/**
 * The one iterator behind every blocking syscall.
 *
 * O1. `arm` puts opcode and arguments into the scheduler's registers; the first `next` performs; after a park the second `next`
 *     hands over the result. Nothing is allocated, and a syscall that need not wait never reaches the scheduler.
 * O2. An armed operation must be performed before another is made, and only once: both mistakes are refused.
 */
import { RIGHTS } from "@glia-os/abi/syscalls";
import { PendingReply } from "./call.ts";
import { performCall } from "./channel/perform.ts";
import { deadlineAfter } from "./duration.ts";
import type { Start } from "./effect.ts";
import { External } from "./external.ts";
import { full, MUST_WAIT, NO_ROOM, offer } from "./ipc.ts";
import type { Mailbox } from "./mailbox.ts";
import type { Notification } from "./notification.ts";
import * as op from "./opcodes.ts";
import { PARK, type Park } from "./operation.ts";
import { JOURNALED } from "./outcome-journal.ts";
import { waitable } from "./resources/use.ts";
import type { Scheduler } from "./scheduler.ts";
import { enlist, enlistForEnds, poll } from "./select.ts";
import { recalled } from "./services/recorded.ts";
import { allowedCall, paidStart } from "./services/use.ts";
import { refuseCycle } from "./supervision/deadlock.ts";
import { CANCEL_PENDING, KILLED, SLEEPING, type Task, type TaskId, WAITING } from "./task.ts";
import { DONE as TRACED_DONE, PARKED as TRACED_PARKED } from "./trace-ring.ts";
import { endOf, type Wait } from "./wait.ts";

type Result = IteratorResult<Park, unknown>;

/** Performs armed operations. One per kernel. */
export class Performer implements Iterator<Park, unknown, unknown> {
  readonly #scheduler: Scheduler;

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  [Symbol.iterator](): this {
    return this;
  }

  /** Make an operation (O1). */
  arm(opcode: number, a: unknown, b: unknown, c: unknown): this {
    const s = this.#scheduler;
    if (s.current === null || s.armed !== 0) s.refuseToArm(opcode);
    s.armed = opcode;
    s.a = a;
    s.b = b;
    s.c = c;
    return this;
  }

  next(): Result {
    const s = this.#scheduler;
    const task = s.current;
    const opcode = s.armed;
    if (opcode === 0 || task === null) return s.resumed();
    s.armed = 0;
    if ((task.flags & (KILLED | CANCEL_PENDING)) !== 0) s.interrupt(task);
    s.seam.calls[opcode]!++;
    s.fuel--;
    switch (opcode) {
      case op.SELECT:
        return this.#select(task);
      case op.CALL:
        return this.#call(task);
      case op.SLEEP:
        return this.#sleep(task);
      case op.WAIT_SIGNAL:
        return this.#waitSignal(task);
      case op.WAIT_ANY:
        return this.#waitAny(task);
      case op.WAIT_ON:
        return this.#waitOn(task);
      case op.EXTERNAL:
        return this.#effect(task, opcode, 0, s.a as Start<unknown>, new External(s, task));
      case op.EXEC:
      case op.FETCH:
      case op.FILE:
      case op.MODEL:
      case op.APPROVE:
        return this.#service(task, opcode);
      case op.READ_WAIT:
      case op.WRITE_WAIT:
        return this.#waitReady(task, opcode);
      default:
        return this.#exit(task, opcode);
    }
  }

  /** An error thrown into the generator at `yield*` passes through. */
  throw(error: unknown): Result {
    throw error;
  }

  /** The result is at hand: go on at once, or at the next turn when this one is used up. */
  #finish(task: Task, opcode: number, argument: number, value: unknown): Result {
    const s = this.#scheduler;
    s.seam.trace.write(opcode, TRACED_DONE, task.id, argument);
    if (s.fuel <= 0) return s.turnUsedUp(task, opcode, value);
    if (JOURNALED[opcode] === true) s.seam.journal.outcome(task.id, opcode, value, false);
    const done = s.done;
    done.value = value;
    return done;
  }

  #park(task: Task, opcode: number, argument: number, state: number): Result {
    const s = this.#scheduler;
    s.seam.trace.write(opcode, TRACED_PARKED, task.id, argument);
    return s.park(task, opcode, state);
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
    const object = s.capabilities.find(handle, task, RIGHTS.call);
    if (object === null || object.kind !== "mailbox") return performCall(s, task, handle, object, timeoutMs);
    const mailbox = object as Mailbox;
    const deadline = deadlineAfter(s.setup.clock, timeoutMs, "a call's time limit");
    const server = mailbox.server;
    if (server !== null) refuseCycle(s, task, server);
    const request = new PendingReply(task, s.b, timeoutMs, mailbox);
    s.b = undefined;
    const outcome = offer(s, mailbox, request, true);
    if (outcome === NO_ROOM) throw full(mailbox);
    task.arg = request;
    if (outcome === MUST_WAIT) {
      s.seam.counters.pauses++;
      mailbox.senders.push(task);
    }
    s.timers.set(task, deadline);
    return this.#park(task, op.CALL, handle, WAITING);
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

  #service(task: Task, opcode: number): Result {
    const s = this.#scheduler;
    const handle = s.a as number;
    const request = s.b;
    s.b = undefined;
    const call = allowedCall(s, task, opcode, handle, request);
    const { service, needed } = call;
    const { recorded } = service;
    if (recorded !== null && recalled(s, task, service, call.request, recorded))
      return this.#finish(task, opcode, handle, recorded.value);
    const start = paidStart(s, task, opcode, handle, call);
    return this.#effect(task, opcode, handle, start, new External(s, task, service, needed));
  }

  #effect(task: Task, opcode: number, argument: number, start: Start<unknown>, external: External): Result {
    const s = this.#scheduler;
    s.seam.journal.intent(task.id, opcode);
    const giveUp = start(external);
    const { outcome } = external;
    if (outcome !== null) {
      if (!outcome.failed) return this.#finish(task, opcode, argument, outcome.value);
      s.seam.journal.outcome(task.id, opcode, outcome.value, true);
      throw outcome.value;
    }
    external.giveUp = giveUp ?? null;
    external.parked();
    task.arg = external;
    return this.#park(task, opcode, argument, WAITING);
  }

  /** `exit` and `checkpoint`: both end the task with a value. */
  #exit(task: Task, opcode: number): Result {
    const s = this.#scheduler;
    s.seam.trace.write(opcode, TRACED_DONE, task.id, 0);
    task.value = s.a;
    task.op = op.EXIT;
    s.current = null;
    return PARK;
  }
}
