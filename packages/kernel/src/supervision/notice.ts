/**
 * Messages from the kernel about the end of tasks, and the room they need.
 *
 * NO1. A notice is never lost to a full mailbox: a place is kept for it when the link or monitor is made, beyond the mailbox's capacity.
 * NO2. A mailbox holds at most its capacity or what it held when it was full, and {@link NOTICE_LIMIT} notices: making a relation that
 *      could exceed this is refused.
 * NO3. Only the kernel makes notices; `isDown` and `isExitNotice` recognise no look-alike.
 */
import { BadOptionError, MailboxClosedError } from "../errors.ts";
import type { Mailbox } from "../mailbox.ts";
import type { Exit, TaskId } from "../task.ts";
import type { Waker } from "../waker.ts";
import { RelationLimitError } from "./errors.ts";
import type { MonitorId } from "./monitor-id.ts";

/** Notices that may be due in one mailbox at once. */
export const NOTICE_LIMIT = 65_536;

/** A monitored task ended. */
export interface Down {
  readonly kind: "down";
  readonly monitor: MonitorId;
  readonly task: TaskId;
  readonly exit: Exit;
  /** The exit in OTP's vocabulary (`exitReason`). */
  readonly reason: unknown;
  /** Syscalls the task made, when it was spawned with `counted`. */
  readonly syscalls: number | undefined;
}

/** A linked task ended, or somebody sent an exit signal, to a task that traps exits. */
export interface ExitNotice {
  readonly kind: "exit";
  readonly from: TaskId;
  readonly reason: unknown;
  /** How the linked task ended; undefined for a signal that was sent. */
  readonly exit: Exit | undefined;
  /** Syscalls the task made, when it was spawned with `counted`. */
  readonly syscalls: number | undefined;
}

/** Made by the kernel only (NO3). */
export class DownMessage implements Down {
  readonly kind = "down";
  readonly monitor: MonitorId;
  readonly task: TaskId;
  readonly exit: Exit;
  readonly reason: unknown;
  readonly syscalls: number | undefined;

  constructor(monitor: MonitorId, task: TaskId, exit: Exit, reason: unknown, syscalls: number | undefined) {
    this.monitor = monitor;
    this.task = task;
    this.exit = exit;
    this.reason = reason;
    this.syscalls = syscalls;
  }
}

/** Made by the kernel only (NO3). */
export class ExitMessage implements ExitNotice {
  readonly kind = "exit";
  readonly from: TaskId;
  readonly reason: unknown;
  readonly exit: Exit | undefined;
  readonly syscalls: number | undefined;

  constructor(from: TaskId, reason: unknown, exit: Exit | undefined, syscalls: number | undefined) {
    this.from = from;
    this.reason = reason;
    this.exit = exit;
    this.syscalls = syscalls;
  }
}

/** Whether a received message says that a monitored task ended. */
export function isDown(message: unknown): message is Down {
  return message instanceof DownMessage;
}

/** Whether a received message is a trapped exit. */
export function isExitNotice(message: unknown): message is ExitNotice {
  return message instanceof ExitMessage;
}

/** The places kept for notices, by mailbox. */
export class NoticeRoom {
  readonly #due = new WeakMap<Mailbox, number>();

  /** Keep places for `count` more notices. @throws {RelationLimitError} {BadOptionError} {MailboxClosedError} */
  keep(mailbox: Mailbox, count: number): void {
    if (mailbox.closed) throw new MailboxClosedError();
    if (mailbox.overflow === "drop-oldest")
      throw new BadOptionError("overflow of a mailbox for notices", mailbox.overflow, "wait or refuse");
    const due = (this.#due.get(mailbox) ?? 0) + count;
    if (Math.max(mailbox.size, mailbox.capacity) + due > mailbox.capacity + NOTICE_LIMIT)
      throw new RelationLimitError("notices due in one mailbox", NOTICE_LIMIT);
    this.#due.set(mailbox, due);
  }

  /** Give places back. */
  free(mailbox: Mailbox, count: number): void {
    this.#due.set(mailbox, Math.max(0, (this.#due.get(mailbox) ?? 0) - count));
  }

  /** Use one place. Returns false when nobody can receive from the mailbox any more. */
  deliver(waker: Waker, mailbox: Mailbox, notice: Down | ExitNotice): boolean {
    this.free(mailbox, 1);
    if (mailbox.closed) return false;
    if (mailbox.size > 0 || !waker.wakeOne(mailbox.takers, notice)) mailbox.push(notice);
    return true;
  }
}
