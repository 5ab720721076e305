/** `send`, `receive` and `call` on objects other than mailboxes, along the road of `seam.ts`: the slower way out of their operations. */
import { RIGHTS } from "@glia-os/abi/syscalls";
import type { KernelObject } from "../capability-table.ts";
import { CALL, RECEIVE, SEND } from "../opcodes.ts";
import type { Park } from "../operation.ts";
import type { Scheduler } from "../scheduler.ts";
import { type Task, WAITING } from "../task.ts";
import { DONE, PARKED } from "../trace-ring.ts";
import { callPort, receiveFromPort, sendToPort } from "./port.ts";
import { NOTHING } from "./waiting.ts";

type Result = IteratorResult<Park, unknown>;

/** Perform `receive`. */
export function performReceive(s: Scheduler, task: Task, handle: number): Result {
  const object = s.capabilities.find(handle, task, RIGHTS.receive);
  const message = receiveFromPort(s, RECEIVE, task, handle, object);
  const { seam } = s;
  if (message === NOTHING) {
    seam.trace.write(RECEIVE, PARKED, task.id, handle);
    return s.park(task, RECEIVE, WAITING);
  }
  seam.trace.write(RECEIVE, DONE, task.id, handle);
  if (s.fuel <= 0) return s.turnUsedUp(task, RECEIVE, message);
  seam.journal.outcome(task.id, RECEIVE, message, false);
  const done = s.done;
  done.value = message;
  return done;
}

/** Perform `send` with the message in its register. */
export function performSend(s: Scheduler, task: Task, handle: number): Result {
  const object = s.capabilities.find(handle, task, RIGHTS.send);
  const message = s.b;
  s.b = undefined;
  const { trace } = s.seam;
  if (!sendToPort(s, SEND, task, handle, object, message)) {
    trace.write(SEND, PARKED, task.id, handle);
    return s.park(task, SEND, WAITING);
  }
  trace.write(SEND, DONE, task.id, handle);
  if (s.fuel <= 0) return s.turnUsedUp(task, SEND, undefined);
  const done = s.done;
  done.value = undefined;
  return done;
}

/** Perform `call` with the question in its register. */
export function performCall(
  s: Scheduler,
  task: Task,
  handle: number,
  object: KernelObject | null,
  timeoutMs: number,
): Result {
  const message = s.b;
  s.b = undefined;
  callPort(s, task, handle, object, message, timeoutMs);
  s.seam.trace.write(CALL, PARKED, task.id, handle);
  return s.park(task, CALL, WAITING);
}
