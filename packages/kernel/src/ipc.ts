/** Moving messages between mailboxes, senders, receivers and callers (`mailbox.ts` M1-M3, `call.ts` P1). */
import { PendingReply } from "./call.ts";
import {
  DoubleReplyError,
  LateReplyError,
  MailboxClosedError,
  MailboxFullError,
  MessageDroppedError,
  NotACallError,
} from "./errors.ts";
import type { Mailbox } from "./mailbox.ts";
import type { Notification } from "./notification.ts";
import { CALL } from "./opcodes.ts";
import type { Scheduler } from "./scheduler.ts";

/** What became of an offered message. */
export const TAKEN = 0;
export const MUST_WAIT = 1;
export const NO_ROOM = 2;

// The same as constants of this module: the engine folds them, which it does not do with what a module imports or exports.
const taken = TAKEN;
const mustWait = MUST_WAIT;
const noRoom = NO_ROOM;

/** Offer a message. `patient` senders hold back under pressure (M2). @throws {MailboxClosedError} */
export function offer(scheduler: Scheduler, mailbox: Mailbox, message: unknown, patient: boolean): number {
  if (mailbox.closed) throw new MailboxClosedError();
  if (mailbox.size === 0 && scheduler.wakeOne(mailbox.takers, message)) return taken;
  if (mailbox.overflow === "wait") {
    if (patient ? mailbox.pressured : mailbox.size >= mailbox.capacity) return patient ? mustWait : noRoom;
  } else if (mailbox.size >= mailbox.capacity) {
    if (mailbox.overflow === "refuse") return noRoom;
    discard(scheduler, mailbox.shift(), new MessageDroppedError());
    mailbox.dropped++;
    scheduler.seam.counters.dropped++;
  }
  mailbox.push(message);
  return taken;
}

/** The refusal of a message for which there is no room. */
export function full(mailbox: Mailbox): MailboxFullError {
  return new MailboxFullError(mailbox.capacity);
}

/** Take the oldest message of a mailbox that has one, and let senders in when the pressure ends (M2). */
export function take(scheduler: Scheduler, mailbox: Mailbox): unknown {
  const message = mailbox.shift();
  if (mailbox.pressured && mailbox.size <= mailbox.low) relieve(scheduler, mailbox);
  return message;
}

function relieve(scheduler: Scheduler, mailbox: Mailbox): void {
  mailbox.pressured = false;
  while (!mailbox.pressured) {
    const sender = mailbox.senders.shift();
    if (sender === null) break;
    mailbox.push(sender.arg);
    // A caller goes on waiting, now for its reply.
    if (sender.op !== CALL) scheduler.resume(sender, undefined);
  }
  if (mailbox.pressured || mailbox.relief === null) return;
  const listeners = mailbox.relief;
  mailbox.relief = null;
  for (const listener of listeners) listener();
}

/** Nobody can receive any more, and so nobody waits to: fail the parked senders and the callers whose calls lie inside. */
export function closeMailbox(scheduler: Scheduler, mailbox: Mailbox): void {
  mailbox.closed = true;
  for (let sender = mailbox.senders.shift(); sender !== null; sender = mailbox.senders.shift()) {
    if (sender.arg instanceof PendingReply) sender.arg.caller = null;
    scheduler.resumeFailing(sender, new MailboxClosedError());
  }
  while (mailbox.size > 0) discard(scheduler, mailbox.shift(), new MailboxClosedError());
  const listeners = mailbox.relief ?? [];
  mailbox.relief = null;
  for (const listener of listeners) listener();
}

/** Forget a message; when it is a call, its caller is told why. */
function discard(scheduler: Scheduler, message: unknown, why: Error): void {
  if (!(message instanceof PendingReply) || message.caller === null) return;
  const caller = message.caller;
  message.caller = null;
  scheduler.resumeFailing(caller, why);
}

/** Answer a call (P1). */
export function reply(scheduler: Scheduler, call: unknown, answer: unknown): void {
  if (!(call instanceof PendingReply)) throw new NotACallError();
  const caller = call.caller;
  if (caller === null) throw call.replied ? new DoubleReplyError(call.from) : new LateReplyError(call.from);
  call.caller = null;
  call.replied = true;
  scheduler.resume(caller, answer);
}

/** Set bits; the first that waits takes them all. */
export function raise(scheduler: Scheduler, notification: Notification, bits: number): void {
  notification.bits |= bits;
  if (notification.bits !== 0 && scheduler.wakeOne(notification.takers, notification.bits))
    notification.bits = 0;
}
