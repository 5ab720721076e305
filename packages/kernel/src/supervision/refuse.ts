/** Answering a call with an error, which is thrown at the caller's `yield*`. Same rules as a reply (`call.ts` P1). */
import { PendingReply } from "../call.ts";
import { DoubleReplyError, LateReplyError, NotACallError } from "../errors.ts";
import type { Scheduler } from "../scheduler.ts";

/** Refuse a call. @throws {DoubleReplyError} {LateReplyError} {NotACallError} */
export function refuseCall(scheduler: Scheduler, call: unknown, error: unknown): void {
  if (!(call instanceof PendingReply)) throw new NotACallError();
  const caller = call.caller;
  if (caller === null) throw call.replied ? new DoubleReplyError(call.from) : new LateReplyError(call.from);
  call.caller = null;
  call.replied = true;
  scheduler.resumeFailing(caller, error);
}
