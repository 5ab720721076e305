/**
 * The operations that programs perform most, each with an iterator of its own: straight code along the road of `seam.ts`, short
 * enough for the engine to compile into the program that uses it. `performer.ts` has the rest.
 *
 * O3. O1 and O2 hold for each of them. An operation iterated after another was made is refused like one that was used before.
 */
import { RIGHTS } from "@glia-os/abi/syscalls";
import { OF_MAILBOX } from "./capability-table.ts";
import { performReceive, performSend } from "./channel/perform.ts";
import { full, MUST_WAIT as MUST_WAIT_, NO_ROOM as NO_ROOM_, offer, take } from "./ipc.ts";
import type { Mailbox } from "./mailbox.ts";
import * as op from "./opcodes.ts";
import type { Park } from "./operation.ts";
import type { Scheduler } from "./scheduler.ts";
import { awaited, waitersOf } from "./select.ts";
import type { Task, TaskId } from "./task.ts";
import * as flags from "./task.ts";
import { DONE as TRACED_DONE, PARKED as TRACED_PARKED } from "./trace-ring.ts";

const MUST_WAIT = MUST_WAIT_;
const NO_ROOM = NO_ROOM_;

// Constants of this module: the engine folds them, which it does not do with what a module imports.
const SEND = op.SEND;
const RECEIVE = op.RECEIVE;
const YIELD = op.YIELD;
const WAIT = op.WAIT;
const TO_MAILBOX = RIGHTS.send | OF_MAILBOX;
const FROM_MAILBOX = RIGHTS.receive | OF_MAILBOX;
const ENDING = flags.KILLED | flags.CANCEL_PENDING;
const DONE = TRACED_DONE;
const PARKED = TRACED_PARKED;
const WAITING = flags.WAITING;
const RESUMING = flags.RESUMING;
const RESUMPTION = flags.RESUMING | flags.THROWING;

type Result = IteratorResult<Park, unknown>;

/** What they share. */
abstract class PerformedOnce implements Iterator<Park, unknown, unknown> {
  [Symbol.iterator](): this {
    return this;
  }

  abstract next(): Result;

  /** An error thrown into the generator at `yield*` passes through. */
  throw(error: unknown): Result {
    throw error;
  }
}

/** `send`. */
export class SendOperation extends PerformedOnce {
  readonly #scheduler: Scheduler;

  constructor(scheduler: Scheduler) {
    super();
    this.#scheduler = scheduler;
  }

  override next(): Result {
    const s = this.#scheduler;
    const task = s.current;
    if (s.armed !== SEND || task === null) return s.resumed();
    s.armed = 0;
    if ((task.flags & ENDING) !== 0) s.interrupt(task);
    const seam = s.seam;
    seam.calls[SEND]!++;
    s.fuel--;
    const handle = s.a as number;
    const mailbox = s.capabilities.find(handle, task, TO_MAILBOX) as Mailbox | null;
    if (mailbox === null) return performSend(s, task, handle);
    const message = s.b;
    s.b = undefined;
    const outcome = offer(s, mailbox, message, true);
    if (outcome === MUST_WAIT) return s.parkSender(task, SEND, handle, mailbox, message);
    if (outcome === NO_ROOM) throw full(mailbox);
    seam.trace.write(SEND, DONE, task.id, handle);
    if (s.fuel <= 0) return s.turnUsedUp(task, SEND, undefined);
    const done = s.done;
    done.value = undefined;
    return done;
  }
}

/** `receive`. */
export class ReceiveOperation extends PerformedOnce {
  readonly #scheduler: Scheduler;

  constructor(scheduler: Scheduler) {
    super();
    this.#scheduler = scheduler;
  }

  override next(): Result {
    const s = this.#scheduler;
    const task = s.current;
    if (s.armed !== RECEIVE || task === null) return this.#resumed(s, task);
    s.armed = 0;
    if ((task.flags & ENDING) !== 0) s.interrupt(task);
    const seam = s.seam;
    seam.calls[RECEIVE]!++;
    s.fuel--;
    const handle = s.a as number;
    const mailbox = s.capabilities.find(handle, task, FROM_MAILBOX) as Mailbox | null;
    if (mailbox === null) return performReceive(s, task, handle);
    if (mailbox.size === 0) {
      mailbox.takers.push(task);
      seam.trace.write(RECEIVE, PARKED, task.id, handle);
      return s.park(task, RECEIVE, WAITING);
    }
    const message = take(s, mailbox);
    seam.trace.write(RECEIVE, DONE, task.id, handle);
    if (s.fuel <= 0) return s.turnUsedUp(task, RECEIVE, message);
    seam.journal.outcome(task.id, RECEIVE, message, false);
    const done = s.done;
    done.value = message;
    return done;
  }

  /** The message that a parked receive was handed, the usual way; everything else is left to the scheduler. */
  #resumed(s: Scheduler, task: Task | null): Result {
    if (task === null || s.armed !== 0 || task.op !== RECEIVE || (task.flags & RESUMPTION) !== RESUMING)
      return s.resumed();
    const message = task.value;
    task.value = undefined;
    task.flags &= ~RESUMING;
    s.seam.journal.outcome(task.id, RECEIVE, message, false);
    const done = s.done;
    done.value = message;
    return done;
  }
}

/** `yield`. */
export class YieldOperation extends PerformedOnce {
  readonly #scheduler: Scheduler;

  constructor(scheduler: Scheduler) {
    super();
    this.#scheduler = scheduler;
  }

  override next(): Result {
    const s = this.#scheduler;
    const task = s.current;
    if (s.armed !== YIELD || task === null) return s.resumed();
    s.armed = 0;
    if ((task.flags & ENDING) !== 0) s.interrupt(task);
    const seam = s.seam;
    seam.calls[YIELD]!++;
    s.fuel--;
    if (!s.ready.empty || s.fuel <= 0) {
      seam.trace.write(YIELD, PARKED, task.id, 0);
      return s.preempt(task, YIELD, undefined);
    }
    seam.trace.write(YIELD, DONE, task.id, 0);
    const done = s.done;
    done.value = undefined;
    return done;
  }
}

/** `wait`. */
export class WaitOperation extends PerformedOnce {
  readonly #scheduler: Scheduler;

  constructor(scheduler: Scheduler) {
    super();
    this.#scheduler = scheduler;
  }

  override next(): Result {
    const s = this.#scheduler;
    const task = s.current;
    if (s.armed !== WAIT || task === null) return s.resumed();
    s.armed = 0;
    if ((task.flags & ENDING) !== 0) s.interrupt(task);
    const seam = s.seam;
    seam.calls[WAIT]!++;
    s.fuel--;
    const id = s.a as TaskId;
    const exit = s.tasks.exitOf(id);
    if (exit === undefined) {
      waitersOf(awaited(s, task, id)).push(task);
      seam.trace.write(WAIT, PARKED, task.id, id);
      return s.park(task, WAIT, WAITING);
    }
    seam.trace.write(WAIT, DONE, task.id, id);
    if (s.fuel <= 0) return s.turnUsedUp(task, WAIT, exit);
    const done = s.done;
    done.value = exit;
    return done;
  }
}
