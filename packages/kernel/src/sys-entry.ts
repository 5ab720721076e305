/**
 * The way into a syscall that does not wait, and into one that may.
 *
 * Y2. Every call checks first that a task runs (`OutsideTaskError`) and takes the road of `seam.ts`.
 */
import { OutsideTaskError } from "./errors.ts";
import { OPCODE_NAMES } from "./opcodes.ts";
import type { Operation } from "./operation.ts";
import type { Performer } from "./performer.ts";
import type { Scheduler } from "./scheduler.ts";
import type { Task } from "./task.ts";
import { DONE } from "./trace-ring.ts";

/** The task that runs. @throws {OutsideTaskError} */
export function running(s: Scheduler, opcode: number): Task {
  const task = s.current;
  if (task === null) throw new OutsideTaskError(OPCODE_NAMES[opcode] ?? "a syscall");
  return task;
}

/** Count and trace a call that was allowed. */
export function record(s: Scheduler, opcode: number, task: Task, argument: number): void {
  s.seam.calls[opcode]!++;
  s.fuel--;
  s.seam.trace.write(opcode, DONE, task.id, typeof argument === "number" ? argument : 0);
}

/** Both, for a call that needs no right. */
export function enter(s: Scheduler, opcode: number, argument: number): Task {
  const task = running(s, opcode);
  record(s, opcode, task, argument);
  return task;
}

/** Make an operation that `performer.ts` performs. */
export function arm<Result>(
  performer: Performer,
  opcode: number,
  a: unknown,
  b: unknown,
  c: unknown,
): Operation<Result> {
  return performer.arm(opcode, a, b, c) as Operation<Result>;
}
