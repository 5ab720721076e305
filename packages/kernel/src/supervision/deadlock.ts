/**
 * Call cycles: a task that calls a server which, through other calls, waits for that task.
 *
 * DL1. A mailbox or an endpoint has a server once a task said so with `serve`. A call to it is refused when the chain "the server waits in
 *      a call to a server that waits in a call to ..." ends at the caller. The chain is read off the parked calls themselves, so it is
 *      never stale; a call made before its receiver said `serve` counts too.
 * DL2. Cycles through a server that leaves a reply to another task are not seen: that server does not wait. Their time limits end them.
 */
import { PendingReply } from "../call.ts";
import { CALL } from "../opcodes.ts";
import type { Scheduler } from "../scheduler.ts";
import { type Task, WAITING } from "../task.ts";
import { DeadlockError } from "./errors.ts";

/** Tasks of a chain that the message names. */
const SHOWN = 32;

/** Refuse a call that closes a cycle (DL1). O(length of the chain). @throws {DeadlockError} */
export function refuseCycle(scheduler: Scheduler, caller: Task, server: Task): void {
  let at: Task | null = server;
  // Servers that said so only after they had called may wait in a circle without the caller; no chain is longer than all tasks.
  for (let left = scheduler.live; at !== null && at !== caller && left > 0; left--) at = calledBy(at);
  if (at !== caller) return;
  const cycle = [label(caller)];
  for (let next = server; next !== caller && cycle.length < SHOWN; next = calledBy(next)!)
    cycle.push(label(next));
  cycle.push(label(caller));
  scheduler.seam.refused(CALL, caller, server.id);
  throw new DeadlockError(cycle);
}

function calledBy(task: Task): Task | null {
  if (task.state !== WAITING || task.op !== CALL) return null;
  return task.arg instanceof PendingReply ? (task.arg.to?.server ?? null) : null;
}

function label(task: Task): string {
  return task.extra?.name ? task.extra.name : `task ${task.path()}`;
}
